// The grammar of the language. Tokens come from TokenFeed: attach points are one raw token each, the
// parenthesis of a cast is a token of its own, every top-level item ends with END, and after an error
// the feed skips to a place to go on and delivers SYNC. Actions only call the Builder.
%require "3.8"
%language "c++"
%define api.namespace {awl::syntax}
%define api.parser.class {Grammar}
%define api.value.type variant
%define api.value.automove
%define api.token.constructor
%define api.token.prefix {T_}
%define api.location.type {awl::Span}
%define parse.error custom
%define parse.lac full
%define lr.type ielr
%locations
%expect 0

%code requires {
#include <optional>
#include <string>
#include <vector>

#include "ast/nodes.h"
#include "parser/builder.h"
#include "parser/token.h"

namespace awl::syntax {
class TokenFeed;
}
}

%param {awl::syntax::TokenFeed &feed}
%parse-param {awl::syntax::Builder &b}

%code {
#include "parser/token_feed.h"

namespace awl::syntax {
namespace {
Grammar::symbol_type yylex(TokenFeed &feed) { return feed.next(); }
}  // namespace
}  // namespace awl::syntax

#define YYLLOC_DEFAULT(Current, Rhs, N)                                       \
  do {                                                                        \
    if (N)                                                                    \
      (Current) = awl::join(YYRHSLOC(Rhs, 1), YYRHSLOC(Rhs, N));              \
    else                                                                      \
      (Current) = {YYRHSLOC(Rhs, 0).end, YYRHSLOC(Rhs, 0).end};               \
  } while (false)

using namespace awl::ast;
}

%token END_OF_FILE 0 "end of script"
// These never come from the text.
%token START_PROGRAM START_EXPRESSION SYNC END "end of the definition" DIRECTIVE IGNORED
// Names and literals.
%token <std::string> IDENT "name" VARIABLE "variable" MAP "map" KEYED_MAP STRING "string"
%token <std::string> ATTACH "probe" ATTRIBUTES "attributes" FN "fn" INT_WORD "C type" C_ATTRIBUTE "__attribute__"
%token <awl::syntax::Number> INTEGER "number"
%token <uint32_t> POSITIONAL "positional parameter"
%token PARAM_COUNT "$#" TRUE "true" FALSE "false"
// Keywords.
%token STRUCT "struct" UNION "union" ENUM "enum" TYPEDEF "typedef" CONFIG "config" LET "let" IMPORT "import"
%token MACRO "macro" IF "if" IF_VALUE ELSE "else" WHILE "while" FOR "for" UNROLL "unroll" BREAK "break"
%token CONTINUE "continue" RETURN "return" SIZEOF "sizeof" OFFSETOF "offsetof" CONTAINER_OF "container_of" TYPEOF "typeof" COMPTIME "comptime"
// Brackets: `(` of a cast, `(` before a type of sizeof, what stands before a type as an argument, `{` of a block expression, `(...)` of a C function type.
%token LBRACE "{" BLOCK_OPEN RBRACE "}" LPAREN "(" CAST_OPEN TYPE_OPEN TYPE_ARG RPAREN ")" LBRACKET "[" RBRACKET "]"
%token C_PARAMS "parameters"
// In the bodies of macros only.
%token HASH "#" PASTE "##"
%token SEMICOLON ";" COMMA "," COLON ":" DOT "." ARROW "->" DOTDOT ".." ELLIPSIS "..." QUESTION "?" ELVIS "?:"
%token PREDICATE_OPEN PREDICATE_CLOSE
%token ASSIGN "="
%token <awl::ast::BinaryOp> ASSIGN_OP "assignment operator" EQUALITY RELATION SHIFT
%token PLUS "+" MINUS "-" STAR "*" SLASH "/" PERCENT "%" AND "&" OR "|" XOR "^" NOT "!" TILDE "~"
%token MATCH "=~" NO_MATCH "!~" LAND "&&" LOR "||" INCREMENT "++" DECREMENT "--"

%type <awl::ast::Expr *> expr logical_or logical_and bit_or bit_xor bit_and equality relation shift additive
%type <awl::ast::Expr *> multiplicative unary postfix primary if_value else_value predicate config_value opt_default
%type <awl::syntax::Name> field
%type <awl::ast::Expr *> arg
%type <std::vector<awl::ast::Expr *>> expr_list call_args arg_list
%type <awl::syntax::RecordFields> record_fields
%type <std::vector<std::string>> path int_words
%type <awl::ast::Stmt *> simple statement compound if_statement
%type <std::vector<awl::ast::Stmt *>> statements
%type <awl::syntax::Body> body
%type <awl::ast::Block *> block opt_else
%type <awl::syntax::ForHead> for_head
%type <awl::ast::TypeName> type type_base type_alternatives fn_result c_base
%type <std::string> record_keyword c_attributes doc
%type <std::optional<awl::ast::TypeName>> opt_type
%type <std::vector<awl::ast::AttachPoint>> attach_points
%type <std::vector<awl::ast::Attribute>> attributes
%type <awl::ast::MacroParam> macro_param
%type <std::vector<awl::ast::MacroParam>> macro_params macro_param_list
%type <awl::ast::FunctionParam> fn_param
%type <std::vector<awl::ast::FunctionParam>> fn_params fn_param_list
%type <awl::ast::CType> c_record c_record_body c_enum c_enum_body
%type <awl::syntax::Specifier> c_specifier
%type <std::vector<awl::ast::CField>> c_members c_body
%type <awl::syntax::Declarator> c_declarator c_pointer c_direct
%type <std::vector<awl::syntax::Declarator>> c_declarators
%type <awl::ast::CEnumerator> enumerator
%type <std::vector<awl::ast::CEnumerator>> enumerators enumerator_list

%%

start:
    START_PROGRAM items
  | START_EXPRESSION expr               { b.set_result($2); }
  ;

items:
    %empty
  | items item END
  ;

item:
    probe
  | config
  | map_declaration
  | import
  | macro
  | function
  | c_definition
  | error SYNC                          { yyerrok; }
  | error SYNC block                    { yyerrok; }
  ;

// --- Probes ------------------------------------------------------------------------------------

probe:
    attach_points opt_comma block                 { b.add_probe(@$, $1, nullptr, $3); }
  | attach_points opt_comma predicate block       { b.add_probe(@$, $1, $3, $4); }
  ;

attach_points:
    ATTACH                              { $$ = {}; $$.push_back({@1, $1}); }
  | attach_points COMMA ATTACH          { $$ = $1; $$.push_back({@3, $3}); }
  ;

predicate:
    PREDICATE_OPEN expr PREDICATE_CLOSE   { $$ = b.condition($2); }
  | PREDICATE_OPEN error SYNC             { yyerrok; $$ = b.poison(@$); }
  ;

opt_comma: %empty | COMMA ;

// --- Other top-level items -----------------------------------------------------------------------

config:
    CONFIG ASSIGN LBRACE config_entries RBRACE
  | CONFIG ASSIGN LBRACE config_entries config_entry RBRACE   // the last one may stand without `;`
  ;

config_entries:
    %empty
  | config_entries config_entry SEMICOLON
  | config_entries SEMICOLON
  | config_entries error SYNC           { yyerrok; }
  ;

config_entry:
    IDENT ASSIGN config_value           { b.add_config(@$, $1, $3); }
  ;

config_value:
    INTEGER                             { $$ = b.integer(@1, $1); }
  | STRING                              { $$ = b.make<StringLiteral>(@1, $1); }
  | TRUE                                { $$ = b.make<BoolLiteral>(@1, true); }
  | FALSE                               { $$ = b.make<BoolLiteral>(@1, false); }
  | IDENT                               { $$ = b.make<Identifier>(@1, $1); }
  ;

map_declaration:
    LET MAP ASSIGN IDENT LPAREN expr RPAREN SEMICOLON   { b.add_map(@$, $2, $4, $6); }
  ;

import:
    IMPORT STRING SEMICOLON             { b.add_import(@2, $2); }
  | IMPORT STRING                       { b.add_import(@2, $2); }
  ;

macro:
    MACRO IDENT macro_params block      { b.add_macro(@$, {@2, $2}, $3, $4); }
  ;

macro_params:
    %empty                              { $$ = {}; }
  | LPAREN RPAREN                       { $$ = {}; }
  | LPAREN macro_param_list opt_comma RPAREN   { $$ = $2; }
  ;

macro_param_list:
    macro_param                         { $$ = {}; $$.push_back($1); }
  | macro_param_list COMMA macro_param  { $$ = $1; $$.push_back($3); }
  ;

macro_param:
    IDENT                               { $$ = {@1, MacroParamKind::Expression, $1}; }
  | VARIABLE                            { $$ = {@1, MacroParamKind::Variable, $1}; }
  | MAP                                 { $$ = {@1, MacroParamKind::Map, $1}; }
  ;

function:
    attributes doc IDENT LPAREN fn_params RPAREN fn_result block
      { b.add_function(@$, $1, $2, {@3, $3}, $5, $7, $8); }
  | attributes doc IDENT LPAREN fn_params RPAREN fn_result SEMICOLON
      { b.add_function(@$, $1, $2, {@3, $3}, $5, $7, nullptr, @8); }
  ;

doc: FN                                 { $$ = $1; } ;

attributes:
    %empty                              { $$ = {}; }
  | attributes ATTRIBUTES               { $$ = b.attributes($1, @2, $2); }
  ;

fn_params:
    %empty                              { $$ = {}; }
  | fn_param_list opt_comma             { $$ = $1; }
  ;

fn_param_list:
    fn_param                            { $$ = {}; $$.push_back($1); }
  | fn_param_list COMMA fn_param        { $$ = $1; $$.push_back($3); }
  ;

fn_param:
    IDENT COLON type_alternatives opt_default      { $$ = {@$, $1, $3, $4, false}; }
  | VARIABLE COLON type_alternatives opt_default   { $$ = {@$, $1, $3, $4, false}; }
  | ELLIPSIS IDENT COLON type_alternatives         { $$ = {@$, $2, $4, nullptr, true}; }
  ;

opt_default:
    %empty                              { $$ = nullptr; }
  | ASSIGN expr                         { $$ = $2; }
  ;

fn_result:
    %empty                              { $$ = b.named_type(@$, "void"); }
  | COLON type_alternatives             { $$ = $2; }
  ;

// --- Statements ------------------------------------------------------------------------------------

block:
    LBRACE body RBRACE                  { $$ = b.block(@$, $2); }
  ;

body:
    statements                          { $$ = Body{$1, nullptr}; }
  | statements simple                   { $$ = Body{$1, $2}; }
  ;

statements:
    %empty                              { $$ = {}; }
  | statements statement                { $$ = $1; b.append($$, $2); }
  ;

statement:
    simple SEMICOLON                    { $$ = $1; }
  | compound                            { $$ = $1; }
  | SEMICOLON                           { $$ = nullptr; }
  | error SYNC                          { yyerrok; $$ = nullptr; }
  ;

simple:
    expr                                { $$ = b.statement<ExprStmt>(@$, $1); }
  | expr ASSIGN expr                    { $$ = b.assign(@$, $1, std::nullopt, $3); }
  | expr ASSIGN_OP expr                 { $$ = b.assign(@$, $1, $2, $3); }
  | LET VARIABLE opt_type               { $$ = b.let(@$, {@2, $2}, $3, nullptr); }
  | LET VARIABLE opt_type ASSIGN expr   { $$ = b.let(@$, {@2, $2}, $3, $5); }
  | BREAK                               { $$ = b.statement<Jump>(@$, JumpKind::Break, nullptr); }
  | CONTINUE                            { $$ = b.statement<Jump>(@$, JumpKind::Continue, nullptr); }
  | RETURN                              { $$ = b.statement<Jump>(@$, JumpKind::Return, nullptr); }
  | RETURN expr                         { $$ = b.statement<Jump>(@$, JumpKind::Return, $2); }
  ;

opt_type:
    %empty                              { $$ = std::nullopt; }
  | COLON type                          { $$ = $2; }
  ;

compound:
    if_statement                        { $$ = $1; }
  | WHILE expr block                    { $$ = b.statement<While>(@$, b.condition($2), $3); }
  | UNROLL expr block                   { $$ = b.statement<Unroll>(@$, $2, $3); }
  | FOR for_head block                  { $$ = b.for_loop(@$, $2, $3); }
  | FOR LPAREN for_head RPAREN block    { $$ = b.for_loop(@$, $3, $5); }
  | block                               { $$ = $1; }
  ;

for_head:
    VARIABLE COLON expr                 { $$ = ForHead{{@1, $1}, $3, nullptr}; }
  | VARIABLE COLON expr DOTDOT expr     { $$ = ForHead{{@1, $1}, $3, $5}; }
  ;

if_statement:
    IF expr block opt_else              { $$ = b.statement<If>(@$, b.condition($2), $3, $4); }
  ;

opt_else:
    %empty                              { $$ = nullptr; }
  | ELSE block                          { $$ = $2; }
  | ELSE if_statement                   { $$ = b.block(@2, Body{{}, $2}); }
  ;

// --- Expressions ------------------------------------------------------------------------------------

expr:
    logical_or                          { $$ = $1; }
  | logical_or QUESTION expr COLON expr   { $$ = b.make<Conditional>(@$, $1, $3, $5); }
  | logical_or QUESTION COLON expr        { $$ = b.make<Conditional>(@$, $1, nullptr, $4); }
  | logical_or ELVIS expr                 { $$ = b.make<Conditional>(@$, $1, nullptr, $3); }
  ;

logical_or:
    logical_and                         { $$ = $1; }
  | logical_or LOR logical_and          { $$ = b.make<Binary>(@$, BinaryOp::LogicalOr, $1, $3); }
  ;

logical_and:
    bit_or                              { $$ = $1; }
  | logical_and LAND bit_or             { $$ = b.make<Binary>(@$, BinaryOp::LogicalAnd, $1, $3); }
  ;

bit_or:
    bit_xor                             { $$ = $1; }
  | bit_or OR bit_xor                   { $$ = b.make<Binary>(@$, BinaryOp::BitOr, $1, $3); }
  ;

bit_xor:
    bit_and                             { $$ = $1; }
  | bit_xor XOR bit_and                 { $$ = b.make<Binary>(@$, BinaryOp::BitXor, $1, $3); }
  ;

bit_and:
    equality                            { $$ = $1; }
  | bit_and AND equality                { $$ = b.make<Binary>(@$, BinaryOp::BitAnd, $1, $3); }
  ;

equality:
    relation                            { $$ = $1; }
  | equality EQUALITY relation          { $$ = b.make<Binary>(@$, $2, $1, $3); }
  | equality MATCH STRING               { $$ = b.match(@$, $1, @2, @3, $3); }
  | equality NO_MATCH STRING            { $$ = b.make<Unary>(@$, UnaryOp::Not, b.match(@$, $1, @2, @3, $3)); }
  ;

relation:
    shift                               { $$ = $1; }
  | relation RELATION shift             { $$ = b.make<Binary>(@$, $2, $1, $3); }
  ;

shift:
    additive                            { $$ = $1; }
  | shift SHIFT additive                { $$ = b.make<Binary>(@$, $2, $1, $3); }
  ;

additive:
    multiplicative                      { $$ = $1; }
  | additive PLUS multiplicative        { $$ = b.make<Binary>(@$, BinaryOp::Add, $1, $3); }
  | additive MINUS multiplicative       { $$ = b.make<Binary>(@$, BinaryOp::Sub, $1, $3); }
  ;

multiplicative:
    unary                               { $$ = $1; }
  | multiplicative STAR unary           { $$ = b.multiply(@$, @2, $1, $3); }
  | multiplicative SLASH unary          { $$ = b.make<Binary>(@$, BinaryOp::Div, $1, $3); }
  | multiplicative PERCENT unary        { $$ = b.make<Binary>(@$, BinaryOp::Mod, $1, $3); }
  ;

unary:
    postfix                             { $$ = $1; }
  | MINUS unary                         { $$ = b.make<Unary>(@$, UnaryOp::Negate, $2); }
  | NOT unary                           { $$ = b.make<Unary>(@$, UnaryOp::Not, $2); }
  | TILDE unary                         { $$ = b.make<Unary>(@$, UnaryOp::BitNot, $2); }
  | STAR unary                          { $$ = b.make<Unary>(@$, UnaryOp::Deref, $2); }
  | AND unary                           { $$ = b.make<Unary>(@$, UnaryOp::AddressOf, $2); }
  | INCREMENT unary                     { $$ = b.make<IncDec>(@$, $2, true, true); }
  | DECREMENT unary                     { $$ = b.make<IncDec>(@$, $2, false, true); }
  | CAST_OPEN type RPAREN unary         { $$ = b.make<Cast>(@$, $2, $4); }
  | COMPTIME unary                      { $$ = b.make<Comptime>(@$, $2); }
  ;

postfix:
    primary                             { $$ = $1; }
  | postfix DOT field                   { $$ = b.field(@$, $1, $3, false); }
  | postfix ARROW field                 { $$ = b.field(@$, $1, $3, true); }
  | postfix LBRACKET expr RBRACKET      { $$ = b.make<Index>(@$, $1, $3); }
  | postfix INCREMENT                   { $$ = b.make<IncDec>(@$, $1, true, false); }
  | postfix DECREMENT                   { $$ = b.make<IncDec>(@$, $1, false, false); }
  ;

field:
    IDENT                               { $$ = Name{@1, $1}; }
  | INTEGER                             { $$ = b.tuple_index(@1, $1); }
  ;

primary:
    INTEGER                             { $$ = b.integer(@1, $1); }
  | STRING                              { $$ = b.make<StringLiteral>(@1, $1); }
  | TRUE                                { $$ = b.make<BoolLiteral>(@1, true); }
  | FALSE                               { $$ = b.make<BoolLiteral>(@1, false); }
  | IDENT                               { $$ = b.make<Identifier>(@1, $1); }
  | POSITIONAL                          { $$ = b.make<PositionalParam>(@1, $1); }
  | PARAM_COUNT                         { $$ = b.make<ParamCount>(@1); }
  | VARIABLE                            { $$ = b.make<Variable>(@1, $1); }
  | MAP                                 { $$ = b.make<MapAccess>(@1, $1, std::vector<Expr *>()); }
  | KEYED_MAP LBRACKET expr_list opt_comma RBRACKET   { $$ = b.make<MapAccess>(@$, $1, $3); }
  | IDENT LPAREN call_args RPAREN       { $$ = b.make<Call>(@$, $1, @1, $3); }
  | SIZEOF LPAREN expr RPAREN           { $$ = b.make<SizeOf>(@$, std::nullopt, $3); }
  | SIZEOF TYPE_OPEN type RPAREN        { $$ = b.make<SizeOf>(@$, std::optional<TypeName>($3), nullptr); }
  | OFFSETOF LPAREN expr COMMA path RPAREN      { $$ = b.make<OffsetOf>(@$, std::nullopt, $3, $5); }
  | CONTAINER_OF LPAREN expr COMMA type COMMA path RPAREN   { $$ = b.container_of(@$, $3, $5, $7); }
  | OFFSETOF TYPE_OPEN type COMMA path RPAREN   { $$ = b.make<OffsetOf>(@$, std::optional<TypeName>($3), nullptr, $5); }
  | LPAREN expr RPAREN                  { $$ = $2; }
  | LPAREN RPAREN                       { $$ = b.make<TupleExpr>(@$, std::vector<Expr *>()); }
  | LPAREN expr COMMA RPAREN            { $$ = b.make<TupleExpr>(@$, std::vector<Expr *>{$2}); }
  | LPAREN expr COMMA expr_list opt_comma RPAREN   { $$ = b.tuple(@$, $2, $4); }
  | LPAREN record_fields opt_comma RPAREN          { $$ = b.record(@$, $2); }
  | BLOCK_OPEN body RBRACE              { $$ = b.block_value(@$, $2); }
  | if_value                            { $$ = $1; }
  ;

if_value:
    IF_VALUE expr block else_value      { $$ = b.if_value(@$, $2, $3, $4); }
  ;

else_value:
    ELSE block                          { $$ = b.value_of($2); }
  | ELSE IF expr block else_value       { $$ = b.if_value(@$, $3, $4, $5); }
  ;

expr_list:
    expr                                { $$ = {}; $$.push_back($1); }
  | expr_list COMMA expr                { $$ = $1; $$.push_back($3); }
  ;

call_args:
    %empty                              { $$ = {}; }
  | arg_list opt_comma                  { $$ = $1; }
  ;

arg_list:
    arg                                 { $$ = {}; $$.push_back($1); }
  | arg_list COMMA arg                  { $$ = $1; $$.push_back($3); }
  ;

arg:
    expr                                { $$ = $1; }
  | TYPE_ARG type                       { $$ = b.make<TypeExpr>(@2, $2); }
  ;

record_fields:
    IDENT ASSIGN expr                       { $$ = {}; $$.add($1, $3); }
  | record_fields COMMA IDENT ASSIGN expr   { $$ = $1; $$.add($3, $5); }
  ;

path:
    field                               { $$ = {}; $$.push_back($1.text); }
  | path DOT field                      { $$ = $1; $$.push_back($3.text); }
  ;

// --- Types ------------------------------------------------------------------------------------------

type:
    type_base                           { $$ = $1; }
  | type STAR                           { $$ = b.pointer_to(@$, $1); }
  | type LBRACKET expr RBRACKET         { $$ = b.array_of(@$, $1, $3); }
  | type LBRACKET RBRACKET              { $$ = b.array_of(@$, $1, nullptr); }
  ;

type_base:
    c_base                              { $$ = $1; }
  | TYPEOF LPAREN expr RPAREN           { $$ = b.typeof_type(@$, $3); }
  | TYPEOF TYPE_OPEN type RPAREN        { $$ = $3; $$.span = @$; }
  ;

c_base:
    IDENT                               { $$ = b.named_type(@$, $1); }
  | int_words                           { $$ = b.c_integer_type(@$, $1); }
  | record_keyword c_attributes IDENT   { $$ = b.named_type(@$, $1 + " " + $3); }
  | ENUM c_attributes IDENT             { $$ = b.named_type(@$, "enum " + $3); }
  ;

int_words:
    INT_WORD                            { $$ = {}; $$.push_back($1); }
  | int_words INT_WORD                  { $$ = $1; $$.push_back($2); }
  ;

record_keyword:
    STRUCT                              { $$ = "struct"; }
  | UNION                               { $$ = "union"; }
  ;

type_alternatives:
    type                                { $$ = $1; }
  | type_alternatives OR type           { $$ = b.type_or(@$, $1, $3); }
  ;

// --- C declarations -----------------------------------------------------------------------------------

c_definition:
    c_record opt_semicolon                            { b.add_type($1); }
  | c_enum opt_semicolon                              { b.add_type($1); }
  | record_keyword c_attributes IDENT SEMICOLON       // a forward declaration says nothing
  | ENUM c_attributes IDENT SEMICOLON
  | TYPEDEF c_specifier c_declarators SEMICOLON       { b.add_typedefs(@$, $2, $3); }
  ;

opt_semicolon: %empty | SEMICOLON ;

// Reduced at the `}`, before what follows is looked at: an error there must not fall back into the members.
c_record:
    c_record_body c_attributes          { $$ = b.with_attributes($1, $2); }
  ;

c_record_body:
    record_keyword c_attributes IDENT LBRACE c_body RBRACE   { $$ = b.record_type(@$, $1, $3, $5, $2); }
  | record_keyword c_attributes LBRACE c_body RBRACE         { $$ = b.record_type(@$, $1, "", $4, $2); }
  ;

c_enum:
    c_enum_body c_attributes            { $$ = b.with_attributes($1, $2); }
  ;

c_enum_body:
    ENUM c_attributes IDENT LBRACE enumerators RBRACE   { $$ = b.with_attributes(b.enum_type(@$, $3, $5), $2); }
  | ENUM c_attributes LBRACE enumerators RBRACE         { $$ = b.with_attributes(b.enum_type(@$, "", $4), $2); }
  ;

c_attributes:
    %empty                              { $$ = ""; }
  | c_attributes C_ATTRIBUTE            { $$ = $1 + " " + $2; }
  ;

// Many scripts leave out the semicolon of the last member.
c_body:
    c_members                           { $$ = $1; }
  | c_members c_specifier c_declarators   { $$ = $1; b.add_members($$, join(@2, @3), $2, $3); }
  ;

c_members:
    %empty                              { $$ = {}; }
  | c_members c_specifier SEMICOLON     { $$ = $1; b.add_members($$, @2, $2, {}); }
  | c_members c_specifier c_declarators SEMICOLON   { $$ = $1; b.add_members($$, join(@2, @3), $2, $3); }
  | c_members SEMICOLON                 { $$ = $1; }
  | c_members error SYNC                { yyerrok; $$ = $1; }
  ;

c_specifier:
    c_base c_attributes                 { $$ = b.attributed(b.specifier($1), $2); }
  | c_record                            { $$ = b.specifier($1); }
  | c_enum                              { $$ = b.specifier($1); }
  | C_ATTRIBUTE c_specifier             { $$ = b.attributed($2, $1); }
  ;

c_declarators:
    c_declarator                        { $$ = {}; $$.push_back($1); }
  | c_declarators COMMA c_declarator    { $$ = $1; $$.push_back($3); }
  ;

c_declarator:
    c_pointer c_attributes              { $$ = b.attributed($1, $2); $$.span = @1; }
  | c_pointer c_attributes COLON expr c_attributes
      { $$ = b.bitfield(@$, b.attributed($1, $2), $4, $5); }
  | COLON expr c_attributes             { $$ = b.bitfield(@$, Declarator(), $2, $3); }
  ;

c_pointer:
    c_direct                            { $$ = $1; }
  | STAR c_attributes c_pointer         { $$ = b.attributed($3, $2); $$.pointers++; }
  ;

c_direct:
    IDENT                               { $$ = {}; $$.name = $1; }
  | LPAREN c_attributes c_pointer RPAREN   { $$ = $3; $$.nested = $$.pointers > 0; }
  | c_direct LBRACKET expr RBRACKET     { $$ = b.c_array(@$, $1, $3); }
  | c_direct LBRACKET RBRACKET          { $$ = b.c_array(@$, $1, nullptr); }
  | c_direct C_PARAMS                   { $$ = $1; $$.opaque = true; }
  ;

enumerators:
    enumerator_list opt_comma           { $$ = $1; }
  | enumerator_list error SYNC          { yyerrok; $$ = $1; }
  | error SYNC                          { yyerrok; $$ = {}; }
  ;

enumerator_list:
    enumerator                          { $$ = {}; $$.push_back($1); }
  | enumerator_list COMMA enumerator    { $$ = $1; $$.push_back($3); }
  ;

enumerator:
    IDENT                               { $$ = b.enumerator(@1, $1, nullptr); }
  | IDENT ASSIGN expr                   { $$ = b.enumerator(@$, $1, $3); }
  ;

%%

// The search trees of elfutils 0.191 and later. Debian 13's libelf.a and libdw.a call them, but the package leaves out the
// archive (libeu.a) that has them. Behind the root stands a lock, which awl, with its one thread, does not need.
#define _GNU_SOURCE
#include <search.h>
#include <stddef.h>

struct search_tree {
  void *root;
};
typedef int compare_fn(const void *, const void *);

void *eu_tsearch(const void *key, struct search_tree *tree, compare_fn *compare);
void *eu_tfind(const void *key, struct search_tree *tree, compare_fn *compare);
void *eu_tdelete(const void *key, struct search_tree *tree, compare_fn *compare);
void eu_tdestroy(struct search_tree *tree, void (*free_node)(void *));
void eu_search_tree_init(struct search_tree *tree);
void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *));

void *eu_tsearch(const void *key, struct search_tree *tree, compare_fn *compare) {
  return tsearch(key, &tree->root, compare);
}
void *eu_tfind(const void *key, struct search_tree *tree, compare_fn *compare) {
  return tfind(key, &tree->root, compare);
}
void *eu_tdelete(const void *key, struct search_tree *tree, compare_fn *compare) {
  return tdelete(key, &tree->root, compare);
}
void eu_tdestroy(struct search_tree *tree, void (*free_node)(void *)) {
  tdestroy(tree->root, free_node);
  tree->root = NULL;
}
void eu_search_tree_init(struct search_tree *tree) { tree->root = NULL; }
void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *)) { eu_tdestroy(tree, free_node); }

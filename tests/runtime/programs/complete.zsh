# complete.zsh COMPLETIONS LINE...: shows what each line becomes when zsh, in a terminal, is given it and a tab.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "stty -echo; PS1= PS2= RPS1= PROMPT_EOL_MARK=; autoload -Uz compinit; compinit -u -d $PWD/dump; source $1"
zpty -w shell 'show() { print -r -- "<$BUFFER>"; BUFFER=; zle accept-line; }; zle -N show; bindkey "^X" show; unset zle_bracketed_paste; print REA""DY'
zpty -r shell seen '*READY*'
shift
for line in "$@"; do
  zpty -w -n shell "$line"$'\t\C-X'
  zpty -r shell seen '*<*>*'
  seen=${${seen##*<}%%>*}
  print -r -- "${seen%% #}"
done
zpty -d shell

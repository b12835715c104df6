# Completion of ./inv:  source completion/inv.bash
# In zsh first:         autoload -U bashcompinit && bashcompinit

_inv() {
    local top current=${COMP_WORDS[COMP_CWORD]}
    top=$(dirname -- "$(command -v -- "${COMP_WORDS[0]}")")
    # Not through ./inv itself: completing must install nothing.
    [ -x "$top/.venv/bin/python" ] || return 0
    # Nor what is somebody else's, or anybody's to write: a key that is pressed there must start nothing of his.
    [ -z "$(find "$top" "$top/inv" "$top/tasks" "$top/.venv" "$top/.venv/bin" -prune \
        \( ! -user 0 ! -user "$(id -u)" -o ! -type l -perm -0002 \) 2>&1)" ] || return 0
    local words
    words=$(cd -- "$top" && .venv/bin/python -I tasks/start.py --complete -- inv "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _inv inv ./inv

# Completion of ./inv:  source completion/inv.bash
# In zsh first:         autoload -U bashcompinit && bashcompinit

_inv() {
    local top current=${COMP_WORDS[COMP_CWORD]}
    top=$(dirname -- "$(command -v -- "${COMP_WORDS[0]}")")
    # Not through ./inv itself: completing must install nothing.
    [ -x "$top/.venv/bin/python" ] || return 0
    local words
    words=$(cd -- "$top" && .venv/bin/python -I tasks/start.py --complete -- inv "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _inv inv ./inv

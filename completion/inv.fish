# Completion of ./inv:  source completion/inv.fish
function __inv_words
    set -l words (commandline -opc) (commandline -ct)
    set -l top (dirname -- (command -s -- $words[1]; or echo $words[1]))
    # Not through ./inv itself: completing must install nothing.
    test -x $top/.venv/bin/python; or return
    # Nor what is somebody else's, or anybody's to write: a key that is pressed there must start nothing of his.
    set -l others (find $top $top/inv $top/tasks $top/.venv $top/.venv/bin -prune \
        \( ! -user 0 ! -user (id -u) -o ! -type l -perm -0002 \) 2>&1)
    test -z "$others"; or return
    pushd $top
    .venv/bin/python -I tasks/start.py --complete -- inv $words[2..-1] 2>/dev/null
    popd
end
complete -c inv -f -a '(__inv_words)'

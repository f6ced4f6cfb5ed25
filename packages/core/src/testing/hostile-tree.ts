/**
 * Makes a tree that is hard to bring back, with a shell and the plainest of programs: hard links, links out of the
 * workspace and to themselves, names that are no text, rights that keep their owner out, times to the nanosecond.
 */
export const MAKE_TREE = `
umask 022
deep=deep; for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do deep=$deep/d; done
mkdir -p $deep sub/dir hollow .hidden closed locked "$(printf 'd\\376r')"
echo bottom > $deep/file; echo hidden > .hidden/.file; echo in > "$(printf 'd\\376r')/in"
echo one > a; ln a twin; ln a sub/dir/twin
ln -s ../../../../etc/passwd away; ln -s /etc out; ln -s nowhere dangling; ln -s . self; ln -s "$(printf 't\\377')" "$(printf 'l\\377')"
echo bytes > "$(printf 'n\\377m')"; echo lines > "$(printf 'two\\nlines')"; echo dash > -rf; echo quote > "q'\\"\\$(touch pwned)"
echo long > "$(printf 'l%.0s' $(seq 255))"
: > empty; mkfifo pipe
head -c 200000 /dev/zero > zeros; echo end >> zeros; truncate -s 3000000 holes 2>/dev/null || head -c 3000000 /dev/zero > holes; echo end >> holes
echo run > run; echo in > closed/file; echo in > locked/file; echo dark > dark
chmod 4755 run; chmod 2751 sub; chmod 1777 hollow; chmod 620 pipe; chmod 500 closed; chmod 400 empty; chmod 0 locked dark
touch -d '1969-12-31 23:59:58.000000001Z' a; touch -d '2100-01-01 00:00:00.999999999Z' zeros
touch -h -d '2001-02-03 04:05:06.123456789Z' away out pipe; touch -d '2002-02-02 02:02:02.000000002Z' hollow $deep sub .`;

/** Spoils what `MAKE_TREE` made: other kinds of things, rights, names and times in the place of what was there. */
export const SPOIL_TREE = `
chmod 700 closed; rm -rf deep twin sub out away closed/file hollow pipe a holes
echo none > deep; echo own > twin; ln -s /etc sub; mkdir out away; echo in > out/passwd; echo in > closed/other
echo file > hollow; mkdir pipe; ln dangling a 2>/dev/null || echo a > a; ln zeros holes
mv .hidden .moved; chmod 755 empty run; echo more >> "$(printf 'n\\377m')"; echo fresh > fresh; echo other > "$(printf 'n\\376m')"
rm -f -- -rf self; touch zeros`;

/**
 * Tells everything of a tree, one line each: name, kind and rights, time, further names, what a link leads to and what is in a
 * file. Without its first level's names in the variable `without`, between spaces.
 */
export const TELL_TREE = `
export LC_ALL=C
tell() {
  for one in * .[!.]* ..?*; do
    [ -e "$one" ] || [ -L "$one" ] || continue
    case "[$1]$without" in "[]"*" $one "*) continue;; esac
    if [ -L "$one" ]; then stat -c "$1%N %f %y" -- "$one"
    elif [ -d "$one" ]; then stat -c "$1%N %f %y" -- "$one"; (cd "./$one" 2>/dev/null && tell "$1 ")
    elif [ -f "$one" ]; then stat -c "$1%N %f %y %h %s" -- "$one"; [ ! -r "$one" ] || tr -d '\\000' < "./$one"
    else stat -c "$1%N %f %y %h" -- "$one"
    fi
  done
}
stat -c '%f %y' .; tell ""; [ a -ef twin ] && [ a -ef sub/dir/twin ] && echo one file`;

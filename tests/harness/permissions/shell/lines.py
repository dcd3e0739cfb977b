"""Hypothesis strategies for bash lines that hide a program, some of them broken on purpose."""

from hypothesis import strategies as st

SPELLINGS = (
    "{p}",
    "\\{p}",
    '"{p}"',
    "'{p}'",
    "$'{p}'",
    '""{p}',
    "{p}''",
    "\\\n{p}",
    "$(echo {p})",
    "`echo {p}`",
    "${{x:-{p}}}",
    "{{{p},}}",
    "{{{p},x}}",
    "[{p}]{p}",
    "$x{p}",
    "${{x}}{p}",
    '"$x"{p}',
    "${{x+y}}{p}",
    "{p}$x",
    "$'\\172'ap",
    "$'\\x7a'ap",
    "z?p",
    "z*p",
    "[z]ap",
    'z"a"p',
    "z\\ap",
    "z\\\nap",
    "z$'a'p",
    "z${{x}}ap",
    'z""ap',
)
PLAIN_WORDS = ("a", "-n", "f", "'b c'", '"d"', "e\\ f", "$x", "*", "1", "-x", "--", "{}", "a=b", "#g", "a#b", "~", "!")
CONTEXTS = (
    "{c}",
    "ls; {c}",
    "ls && {c}",
    "false || {c}",
    "ls | {c}",
    "ls |& {c}",
    "ls & {c}",
    "ls\n{c}",
    "{c} &",
    "! {c}",
    "time {c}",
    "time -p {c}",
    "time ! {c}",
    "! time {c}",
    "time ! A=1 {c}",
    "time -p A=1 {c}",
    "nohup {c}",
    "nice {c}",
    "nice -n 5 {c}",
    "timeout 5 {c}",
    "timeout -k 1 5 {c}",
    "timeout --signal=KILL 5 {c}",
    "env {c}",
    "env A=1 {c}",
    "env -i PATH=$PATH {c}",
    "env -S '{c}'",
    "setsid {c}",
    "xargs {c}",
    "echo a | xargs -I@ {c} @",
    "echo a | xargs -n 1 {c}",
    "echo '{c}' | xargs -I@ bash -c @",
    "command {c}",
    "builtin command {c}",
    "builtin eval '{c}'",
    "exec {c}",
    "exec -a b {c}",
    "coproc {c}",
    "A=1 {c}",
    "A=1 B=2 {c}",
    "A=$({c})",
    "A=$({c}) ls",
    "a=({c})",
    "a=($({c}))",
    "a[0]=$({c})",
    ">out {c}",
    "2>&1 {c}",
    "{c} 2>&1",
    "ls >$({c})",
    "ls > out {c}",
    "({c})",
    "( ls; {c} )",
    "{{ {c}; }}",
    "{{ ls; {c}\n}}",
    "if {c}; then :; fi",
    "if true; then {c}; fi",
    "if false; then :; else {c}; fi",
    "while {c}; do break; done",
    "while true; do {c}; break; done",
    "until {c}; do break; done",
    "for i in a; do {c}; done",
    "for i in $({c}); do :; done",
    "for ((i=0;i<1;i++)); do {c}; done",
    "for ((i=0;i<1;i++)) {{ {c}; }}",
    "case x in x) {c};; esac",
    "case $({c}) in x) ls;; esac",
    "case x in $({c})) ls;; esac",
    "select i in a; do {c}; break; done <<< 1",
    "g() {{ {c}; }}; g",
    "function g {{ {c}; }}; g",
    "g() ( {c} ); g",
    "ls() {{ {c}; }}; ls",
    "echo $({c})",
    'echo "$({c})"',
    'echo "a $({c}) b"',
    "echo `{c}`",
    'echo "`{c}`"',
    "echo '$({c})'",
    "echo \\$({c})",
    'echo "\\$({c})"',
    'echo "\\"$({c})\\""',
    "echo ${{x:-$({c})}}",
    'echo "${{x:-$({c})}}"',
    "echo ${{x:=$({c})}}",
    ": ${{x:-`{c}`}}",
    "echo ${{x/a/$({c})}}",
    "echo ${{#x$({c})}}",
    "echo $(( $({c}) + 1 ))",
    "echo $((a[$({c})]))",
    "echo $[ $({c}) ]",
    "((a[$({c})]))",
    "echo <({c})",
    "cat < <({c})",
    "ls > >({c})",
    "[ -n $({c}) ]",
    '[ -n "$({c})" ]',
    "[[ -n $({c}) ]]",
    "[[ a[$({c})] -eq 0 ]]",
    "[[ 'a[$({c})]' -eq 0 ]]",
    "test -v 'a[$({c})]'",
    "[ -v 'a[$({c})]' ]",
    "let 'a[$({c})]=1'",
    "let a=1+'a[$({c})]'",
    "declare a=$({c})",
    "declare -i a='b[$({c})]'",
    "declare -n r='a[$({c})]'; echo $r",
    "export A=$({c})",
    "local A=$({c})",
    "printf -v 'a[$({c})]' x",
    "read 'a[$({c})]' <<< 1",
    "unset 'a[$({c})]'",
    "x='a[$({c})]'; echo $((x))",
    "x='a[$({c})]'; echo ${{y:x}}",
    "x='$({c})'; echo ${{x@P}}",
    "x='{c}'; $x",
    "x='{c}'; eval $x",
    "x='{c}'; eval \"$x\"",
    "x='{c}' eval 'eval $x'",
    "eval '{c}'",
    'eval "{c}"',
    "eval {c}",
    "bash -c '{c}'",
    'bash -c "{c}"',
    "bash -xc '{c}'",
    "bash --norc -c '{c}'",
    "bash -c 'bash -c \"{c}\"'",
    "sh -c '{c}'",
    "sh -c 'ls; {c}' x y",
    "bash <<< '{c}'",
    'bash <<< "{c}"',
    "bash <<EOF\n{c}\nEOF",
    "bash <<'EOF'\n{c}\nEOF",
    "cat <<EOF | bash\n{c}\nEOF",
    "cat <<'EOF' | sh\n{c}\nEOF",
    "echo '{c}' | bash",
    'echo "{c}" | sh -s',
    "source <(echo '{c}')",
    ". /dev/stdin <<< '{c}'",
    "trap '{c}' EXIT",
    "trap '{c}' DEBUG; ls",
    "PS4='$({c})'; set -x; ls",
    "BASH_ENV=g; echo '{c}' > g; BASH_ENV=./g bash -c ls",
    "shopt -s expand_aliases; alias q='{c}'\nq",
    "hash -p ./zap q; q",
    "mapfile -c 1 -C '{c}' a <<< 1",
    "cat <<EOF\n$({c})\nEOF",
    "cat <<EOF\n`{c}`\nEOF",
    "cat <<'EOF'\n$({c})\nEOF",
    "cat <<\\EOF\n$({c})\nEOF",
    'cat <<E"O"F\n$({c})\nEOF',
    "cat <<-EOF\n\t$({c})\n\tEOF",
    "cat <<A <<B\n$({c})\nA\nb\nB",
    "cat <<'A' <<B\n$({c})\nA\n$({c})\nB",
    "cat <<'E'\nx\nE\n{c}",
    "cat <<'E'\nx\nE \n{c}\nE",
    "cat <<E\n${{x:-$({c})}}\nE",
    "cat <<'E F'\nx\nE F\n{c}",
    "echo \"$(cat <<'E'\n$({c})\nE\n)\"",
    'echo "$(cat <<E\n$({c})\nE\n)"',
    "echo \"$(cat <<'E'\nx\nE\n{c})\"",
    "echo \"$(cat <<'E'\nx\nE\n)$({c})\"",
    "cat <<< $({c})",
    'cat <<< "$({c})"',
    "cat <<< '$({c})'",
    "# {c}",
    "ls # {c}",
    "ls #\n{c}",
    "ls # \\\n{c}",
    "ls;# x\n{c}",
    "echo a#b; {c}",
    "echo '# '; {c}",
    "echo \\# ; {c}",
    "ls \\\n&& {c}",
    "ls &\\\n& {c}",
    "echo '\\'; {c}; echo '\\'",
    'echo "\\\\"; {c}',
    "echo $'\\''; {c}",
    "echo $'\\'; {c}; echo '",
    'echo $"$({c})"',
    "echo a {{{c},b}}",
    "find . -maxdepth 0 -exec {c} ';'",
    "find . -maxdepth 0 -exec bash -c '{c}' \\;",
    "find . -maxdepth 0 >/dev/null -exec {c} \\;",
    "find f -ok {c} \\; <<< y",
    "sed '1e {c}' f",
    "sed -n '$!d;e {c}' f",
    "sed 's/x/{c}/e' f",
    "awk 'BEGIN{{system(\"{c}\")}}'",
    "awk 'BEGIN{{\"{c}\"|getline}}'",
    "awk '{{print | \"{c}\"}}' f",
    "awk '{{print > \"{c}\"}}' f",
    "awk '\"{c}\" | getline a' f",
    "awk 'a = 1 / 2; system(\"{c}\") / 3' f",
    'awk \'BEGIN{{f="sys" "tem"; @f("{c}")}}\'',
    'awk \'{{printf "%s", $1 | "{c}"}}\' f',
    "awk '/x/ {{print /a/ > \"out\"}} # {c}' f",
    "awk 1 f; {c}",
    "awk '{{print $1}}' f | {c}",
    "awk -f <(echo 'BEGIN{{system(\"{c}\")}}') f",
    "rg --pre '{c}' x f",
    "rg x f && {c}",
    "jq -n '\"{c}\"'",
    "ps aux | {c}",
    "xxd f | xxd -r | {c}",
    "find . -type f -print0 | xargs -0 {c}",
    "find . -maxdepth 1 -type f -print0 | xargs -0 grep -l '{c}'",
    "ls() {{ :; }}; {c}",
    "true; {{ {c}; }} | cat",
    "[[ -f f && $({c}) ]]",
    "{c}; ls",
    "{c} | ls",
    "{c} || :",
)
BREAKERS = "'\"\\$`(){};|&<>\n #!*?[]=~\t\r-,"


@st.composite
def commands(draw: st.DrawFn, program: str = "zap") -> str:
    """One simple command that starts the program, more or less."""
    spelling = draw(st.sampled_from(SPELLINGS)).format(p=program)
    words = draw(st.lists(st.sampled_from(PLAIN_WORDS), max_size=3))
    return " ".join((spelling, *words))


@st.composite
def hidden(draw: st.DrawFn, program: str = "zap") -> str:
    """The command inside up to three contexts."""
    line = draw(commands(program))
    for context in draw(st.lists(st.sampled_from(CONTEXTS), min_size=1, max_size=3)):
        line = context.format(c=line)
    return line


@st.composite
def broken(draw: st.DrawFn, program: str = "zap") -> str:
    """A hidden line with a few characters put in. Lines with a slash stay whole: they name real files."""
    line = draw(hidden(program))
    if "/" in line:
        return line
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(st.sampled_from(BREAKERS)) + line[at:]
    return line


LOOP_VALUES = (
    *("a", "zap", "ok", "./zap", "-n", "f", "{ok,zap}", "z{a,b}p", "{1..3}", "*", "./*", "z*", "$HOME", "~", "$f"),
    *("'zap'", '"ok"', "$(echo zap)", "zap;", "a\nb", "\\z\\a\\p", "", "{,zap}", "zap,ok"),
)
USES = ("$f", '"$f"', "${f}", '"${f}"', "'$f'", '$f"$f"', "x$f", "$g", "\\$f", '"$HOME"', "{$f,ok}", '"$f "', "./$f")
LOOPED_COMMANDS = (
    *("{u}", "ok {u}", "echo {u}", "cat {u}", "[ -f {u} ]", "[ {u} = zap ]", "echo x > {u}", "xargs {u}", "env {u}"),
    *("printf %s {u}", "printf -v f zap", "read f <<< zap", "f=zap", "f=zap {u}", "export f=zap", "eval {u}", "cd {u}"),
    *("timeout 5 {u}", "sort {u}", "sort -o {u} f", "unset f", "sh -c {u}", "declare -n f=g", "declare -u f", "! {u}"),
    *("echo {u} | {u}", "ok; {u}", "command {u}", "command read f", "trap {u} EXIT", "trap 'f=zap' DEBUG", "ls {u}"),
    *(
        "set -- {u}",
        "find . -name {u}",
        "g=zap",
        "alias ok=zap",
        "break",
        "continue",
        "ok &",
        "zap",
    ),
    *(
        "awk {u} f",
        "rg {u} f",
        "jq {u} f",
        "sed {u} f",
        "cat <<E\n{u}\nE",
        "time {u}",
        "export HOME=zap",
        "HOME=zap {u}",
    ),
)


@st.composite
def looped(draw: st.DrawFn, depth: int = 0) -> str:
    """Loops and conditions around commands that use their variable, right and wrong ones, some of them broken."""
    uses, commands_ = st.sampled_from(USES), st.sampled_from(LOOPED_COMMANDS)

    def body() -> str:
        if depth < 2 and draw(st.integers(0, 3)) == 0:
            return draw(looped(depth=depth + 1))
        parts = [draw(commands_).format(u=draw(uses)) for _ in range(draw(st.integers(1, 2)))]
        return draw(st.sampled_from(("; ", "\n", " && ", " || ", " | "))).join(parts)

    name = draw(st.sampled_from(("f", "f", "f", "g", "PATH", "IFS", "HOME")))
    values = " ".join(draw(st.lists(st.sampled_from(LOOP_VALUES), min_size=1, max_size=3)))
    form = draw(st.sampled_from((
        "for {n} in {v}; do {a}; done", "for {n} in {v}\ndo\n{a}\ndone", "for {n} in {v};do {a};done", "{a}",
        "if {a}; then {b}; fi", "if {a}\nthen {b}\nelse {a}\nfi", "if {a}; then ls; elif {b}; then ls; else {a}; fi",
        "for {n} in {v}; do {a}; done; {b}", "{b}; for {n} in {v}; do {a}; done", "for {n} in {v}; do {a}; done | {b}",
        "{b} | for {n} in {v}; do {a}; done", "for {n} in {v}; do {a}; done > f", "for {n}; do {a}; done",
        "select {n} in {v}; do {a}; done <<< 1", "while {a}; do {b}; break; done", "for {n} in {v}; {{ {a}; }}",
    )))  # fmt: skip
    line = form.format(n=name, v=values, a=body(), b=body())
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2))) if not depth else 0):
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(st.sampled_from(BREAKERS)) + line[at:]
    return line


@st.composite
def spelled(draw: st.DrawFn) -> str:
    """Loops, braces and $HOME around `ok`, which bash runs whatever the words are."""
    words = st.lists(st.sampled_from((*USES, *LOOP_VALUES[:16], "a{b,c}d{e,f}", "{2..0}", "x{a}", "{a..c}", "{,a}")))
    line = " ".join(("ok", *draw(words)))
    for name in draw(st.lists(st.sampled_from("fg"), max_size=2)):
        values = " ".join(draw(st.lists(st.sampled_from(LOOP_VALUES), min_size=1, max_size=3)))
        line = f"for {name} in {values}; do {line}; done"
    return line

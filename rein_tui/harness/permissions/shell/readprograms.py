"""Programs that only read where more than options has to be looked at: awk, jq, ps, questions for a version."""

import re
from collections.abc import Sequence

_AWK_CALLS = frozenset(
    "length substr split sub gsub gensub toupper tolower index int sprintf match log exp sqrt sin cos atan2 rand srand "
    "strftime systime mktime if while for print printf in return and or BEGIN END".split()
)
_AWK_CALL = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)[ \t\n]*\(")
# All ways out of awk: other programs, other files, the environment, functions and variables by name.
_AWK_WAYS_OUT = re.compile(r"system|getline|close|extension|func|ENVIRON|PROCINFO|SYMTAB|FUNCTAB|ARG[A-Z]|@|\\\n")
_JQ_WAYS_OUT = re.compile(r"\b(?:env|ENV|import|include|modulemeta|get_search_list)\b")
_PS_FORMS = frozenset("aux auxf auxw auxww auxfww axu ax axf a x u -e -ef -eF -A -Af -f -F -l -ely -aux".split())
_PS_COLUMNS = frozenset(
    "pid ppid pgid sid user uid gid group comm args cmd command pcpu %cpu pmem %mem rss vsz stat state tty tt time "
    "etime etimes start lstart ni nice pri nlwp wchan".split()
)
_VERSION = {
    **dict.fromkeys("npm pip pip3 gcc g++ cc clang make cmake docker jq rg bash".split(), frozenset({"--version"})),
    **dict.fromkeys(("node", "npm", "make", "perl"), frozenset({"--version", "-v"})),
    **dict.fromkeys(("python", "python3"), frozenset({"--version", "-V"})),
}


def is_version_question(argv: Sequence[str]) -> bool:
    """Whether a program is asked for its version only. Left out: what fetches or runs another version of itself
    because a file of the project says so (yarn, pnpm, go, cargo)."""
    return len(argv) == 2 and argv[1] in _VERSION.get(argv[0], ())


def awk_problem(operands: Sequence[str]) -> str:
    """Why an awk program may do more than read its operands; "" when it cannot.

    Output goes elsewhere only with `>` or `|` after the word print; input comes from elsewhere only with getline or
    through ARGV; programs start only so, or with system and `@`.
    """
    if not operands:
        return "it names no program"
    code = operands[0]
    printing = code.find("print")
    if printing >= 0 and re.search(r"[>|]", code[printing:].replace("||", "")):
        return "this awk program may write files or feed programs"
    if _AWK_WAYS_OUT.search(code):
        return "this awk program may run commands or open other files"
    unknown = next((name for name in _AWK_CALL.findall(code) if name not in _AWK_CALLS), "")
    return f"`{unknown}` of awk is not on the list of harmless functions" if unknown else ""


def jq_words(words: Sequence[str]) -> list[str]:
    """The words without named values (`--arg NAME VALUE`), which are only text."""
    kept: list[str] = []
    index = 0
    while index < len(words):
        if words[index] == "--":  # from here on everything is a file
            return [*kept, *words[index:]]
        if words[index] in {"--arg", "--argjson"} and index + 2 < len(words):
            index += 3
            continue
        kept.append(words[index])
        index += 1
    return kept


def jq_problem(operands: Sequence[str]) -> str:
    """Why a jq filter may read more than its operands; "" when it cannot."""
    if not operands:
        return "it names no filter"
    return "this jq filter may read the environment or other files" if _JQ_WAYS_OUT.search(operands[0]) else ""


def ps_problem(words: Sequence[str]) -> str:
    """Why this form of ps is not understood: some show the environment of other programs, which may hold secrets.

    ps reads its words a second way when the first fails, so only whole known forms count.
    """
    index = 0
    while index < len(words):
        word, following = words[index], words[index + 1] if index + 1 < len(words) else ""
        if word in {"-p", "-o"}:
            numbers = re.fullmatch(r"[0-9]+(?:,[0-9]+)*", following) is not None
            if not (numbers if word == "-p" else set(following.replace("=", "").split(",")) <= _PS_COLUMNS):
                return f"`{word}` of ps with `{following}` is not understood"
            index += 2
        elif word in _PS_FORMS or word in {"--no-headers", "--forest"} or re.fullmatch(r"--sort=[-+a-z%,]+", word):
            index += 1
        else:
            return f"`{word}` of ps is not on the list of harmless forms"
    return ""

"""Option tables of programs that only read. The lists are positive: what is missing asks.

Left out on purpose: whatever writes, runs another program, connects, or takes names of files from a file.
"""

from .options import Table, table

_GREP = table(
    "EFGPivwxclLnHhoqsrRabzZUTI",
    "e f:path m:number A:number B:number C:number d D",
    long="extended-regexp fixed-strings basic-regexp perl-regexp ignore-case no-ignore-case invert-match word-regexp "
    "line-regexp count files-with-matches files-without-match line-number with-filename no-filename only-matching "
    "quiet silent no-messages recursive dereference-recursive text byte-offset null-data null initial-tab help version",
    optional="color colour",
    long_valued="regexp file:path max-count:number after-context:number before-context:number context:number include "
    "exclude exclude-dir exclude-from:path binary-files devices directories label",
    operands="pattern_then_paths",
    numeric=True,
    pattern_options="-e -f --regexp --file",
)

_COMMON: dict[str, Table] = {
    "ls": table(
        "aAbBcCdDfFgGhHiklLmnNopqQrRsStTuUvxXZ1",
        "I w:number",
        long="all almost-all author escape ignore-backups directory dired full-time group-directories-first no-group "
        "human-readable si dereference-command-line inode kibibytes dereference numeric-uid-gid "
        "literal hide-control-chars "
        "show-control-chars quote-name reverse recursive size zero help version",
        optional="color classify hyperlink",
        long_valued="block-size format indicator-style ignore hide quoting-style sort time time-style tabsize:number "
        "width:number",
    ),
    "cat": table(
        "AbeEnstTuv",
        long="show-all number-nonblank show-ends number squeeze-blank show-tabs show-nonprinting help version",
    ),
    "echo": table(operands="texts"),
    "true": table(operands="texts"),
    "false": table(operands="texts"),
    ":": table(operands="texts"),
    "pwd": table("LP", operands="none"),
    "head": table(
        "qvz",
        "n:number c:number",
        long="quiet silent verbose zero-terminated help version",
        long_valued="lines:number bytes:number",
        numeric=True,
    ),
    "tail": table(
        "qvzrfF",
        "n:number c:number s:number",
        long="quiet silent verbose zero-terminated retry help version",
        optional="follow",
        long_valued="lines:number bytes:number sleep-interval:number pid:number",
        numeric=True,
    ),
    "grep": _GREP,
    "egrep": _GREP,
    "fgrep": _GREP,
    "wc": table("cmlLw", long="bytes chars lines max-line-length words help version", long_valued="total"),
    "which": table("as", long="all", operands="texts"),
    "diff": table(
        "uqscrNiEbwBatyTdpZne",
        "U:number C:number W:number x L F I",
        long="unified context brief report-identical-files recursive new-file ignore-case ignore-tab-expansion "
        "ignore-space-change ignore-all-space ignore-blank-lines text expand-tabs side-by-side minimal show-c-function "
        "ignore-trailing-space strip-trailing-cr suppress-common-lines left-column no-dereference normal help version",
        optional="color unified context",
        long_valued="exclude label width:number ignore-matching-lines show-function-line tabsize:number palette",
    ),
    "cmp": table("bls", "i:number n:number", long="print-bytes verbose quiet silent", most=2),
    "comm": table("123z", long="check-order nocheck-order total zero-terminated", most=2),
    "stat": table("Lft", "c", long="dereference file-system terse help version", long_valued="format printf cached"),
    "du": table(
        "0abchHkDlmsSx",
        "d:number B t",
        long="null all apparent-size bytes total human-readable si count-links summarize separate-dirs one-file-system "
        "inodes help version",
        optional="time",
        long_valued="max-depth:number block-size exclude threshold time-style",
    ),
    "file": table(
        "bhikLNprsv0E",
        "e F P",
        long="brief mime mime-type mime-encoding extension keep-going dereference no-dereference "
        "no-pad raw print0 version",
        long_valued="exclude separator",
    ),
    "sort": table(
        "bdfghiMnRrVcCmsuz",
        "k t S",
        long="ignore-leading-blanks dictionary-order ignore-case general-numeric-sort human-numeric-sort month-sort "
        "numeric-sort random-sort reverse version-sort check merge stable unique zero-terminated help version",
        long_valued="key field-separator sort buffer-size parallel:number",
        globs=False,
    ),
    "uniq": table(
        "cdDiuz",
        "f:number s:number w:number",
        long="count repeated ignore-case unique zero-terminated",
        optional="all-repeated group",
        long_valued="skip-fields:number skip-chars:number check-chars:number",
        most=1,
        globs=False,
    ),
    "cut": table(
        "nsz",
        "b c d f",
        long="complement only-delimited zero-terminated",
        long_valued="bytes characters delimiter fields output-delimiter",
    ),
    "paste": table("sz", "d", long="serial zero-terminated", long_valued="delimiters"),
    "column": table("txenR", "s o c:number", long="table fillrows", long_valued="separator output-separator"),
    "tr": table("cCdst", long="complement delete squeeze-repeats truncate-set1", operands="texts"),
    "nl": table("p", "b d f h i:number l:number n s v:number w:number"),
    "tac": table("br", "s", long="before regex", long_valued="separator"),
    "rev": table(),
    "seq": table("w", "s f", long="equal-width", long_valued="separator format", operands="texts", numeric=True),
    "basename": table("az", "s", long="multiple zero", long_valued="suffix", operands="texts"),
    "dirname": table("z", long="zero", operands="texts"),
    "realpath": table("eLmPqsz", long="canonicalize-existing canonicalize-missing logical physical quiet strip zero"),
    "readlink": table("efmnqsvz", long="canonicalize canonicalize-existing canonicalize-missing no-newline quiet zero"),
    "sha256sum": table("btz", long="binary text tag zero"),
    "sha1sum": table("btz", long="binary text tag zero"),
    "sha512sum": table("btz", long="binary text tag zero"),
    "md5sum": table("btz", long="binary text tag zero"),
    "cksum": table("z", "a"),
    "whoami": table(operands="none"),
    "uname": table("asnrvmpio", operands="none"),
    "nproc": table(long="all", operands="none"),
    "arch": table(operands="none"),
}

_RG = table(
    "abcFHhIilNnopPqSsUuvwx0.",
    "A:number B:number C:number d:number e E g j:number m:number M:number r t T",
    long="text byte-offset count count-matches fixed-strings with-filename no-filename ignore-case smart-case "
    "case-sensitive files-with-matches files-without-match line-number no-line-number only-matching pcre2 quiet "
    "multiline multiline-dotall unrestricted invert-match word-regexp line-regexp null null-data hidden no-hidden "
    "no-ignore no-ignore-vcs no-ignore-parent no-ignore-global heading no-heading column no-column trim vimgrep json "
    "stats files type-list crlf no-messages passthru pretty no-config one-file-system binary help version",
    long_valued="after-context:number before-context:number context:number regexp encoding glob iglob threads:number "
    "max-count:number max-columns:number max-depth:number max-filesize replace type type-not type-add color colors "
    "sort sortr engine context-separator",
    operands="pattern_then_paths",
    pattern_options="-e --regexp --files --type-list",
    globs=False,
)
_FD = table(
    "HIusigFpa0q1",
    "e t d:number E S c j:number",
    long="hidden no-ignore unrestricted case-sensitive ignore-case glob fixed-strings full-path absolute-path print0 "
    "quiet no-ignore-vcs no-ignore-parent prune strip-cwd-prefix one-file-system show-errors help version",
    long_valued="extension type max-depth:number min-depth:number exact-depth:number exclude size color "
    "changed-within changed-before max-results:number threads:number",
    operands="pattern_then_paths",
    globs=False,
)

_OTHERS: dict[str, Table] = {
    "rg": _RG,
    "fd": _FD,
    "fdfind": _FD,
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), table("", "F v", operands="pattern_then_paths", globs=False)),
    "jq": table(
        "nesrRjacCSM",
        long="null-input exit-status slurp raw-output raw-output0 raw-input join-output ascii-output compact-output "
        "color-output monochrome-output sort-keys tab seq stream unbuffered help version",
        long_valued="indent:number",
        operands="pattern_then_paths",
        globs=False,
    ),
    "df": table(
        "ahHiklPT",
        "B t x",
        long="all human-readable si inodes local portability print-type total no-sync help version",
        optional="output",
        long_valued="block-size type exclude-type",
    ),
    "tree": table(
        "adfxpsugDFqNQrtcUvhiASnCXJ",
        "L:number P I",
        long="dirsfirst filesfirst noreport du si inodes device prune matchdirs ignore-case help version",
        optional="sort",
        long_valued="filelimit:number",
    ),
    "od": table(
        "abcdfhilosxv",
        "A j:number N:number t",
        long="output-duplicates help version",
        long_valued="address-radix skip-bytes:number read-bytes:number format",
    ),
    "hexdump": table("bcCdovx", "n:number s:number"),
    "xxd": table("abeipuC", "c:number g:number l:number s:number", most=1, globs=False),
    "strings": table(
        "afo", "n:number t", long="all print-file-name help version", long_valued="bytes:number radix", globs=False
    ),
    "base64": table("d", "w:number", long="decode help version", long_valued="wrap:number"),
    "fold": table("bs", "w:number", long="bytes spaces", long_valued="width:number"),
    "expand": table("i", "t", long="initial", long_valued="tabs"),
    "unexpand": table("a", "t", long="all first-only", long_valued="tabs"),
    "b2sum": table("btz", "l:number", long="binary text tag zero", long_valued="length:number"),
    "sha224sum": table("btz", long="binary text tag zero"),
    "sha384sum": table("btz", long="binary text tag zero"),
    "free": table("bkmghwtlv", long="human wide total lohi si mega giga bytes kilo help version", operands="none"),
    "uptime": table("ps", long="pretty since help version", operands="none"),
    "groups": table(operands="texts"),
    "tty": table("s", operands="none"),
    "pgrep": table("lafinovxc", operands="texts"),
    "ss": table("tlnuaxpemosH46i", operands="none"),
    "expr": table(operands="texts"),
}

TABLES: dict[str, Table] = {**_COMMON, **_OTHERS}

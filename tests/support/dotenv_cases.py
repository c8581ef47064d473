"""Forms of an `.env`, with the variables that Docker Compose reads from each.

`tests/stack/test_dotenv.py` asks the real Compose; the fast tests ask our own reader.
"""

# What the environment holds before the file is read.
ENVIRONMENT = {"OUTER": "outer", "EMPTY": ""}

# The content of a file, and the values of the variables that it sets.
READ: list[tuple[bytes, dict[str, str]]] = [
    (b"", {}),
    (b"\n \n# A=1\n  # B=2", {}),
    (b"A=1\nB=2\n", {"A": "1", "B": "2"}),
    (b"A=1\nA=2", {"A": "2"}),
    # Line ends, marks at the beginning, other encodings.
    (b"A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
    (b"\xef\xbb\xbfA=1\n", {"A": "1"}),
    ("A=ä€😀\n".encode(), {"A": "ä€😀"}),
    (b"# Grafana f\xfcr alle\nA=1\n", {"A": "1"}),
    # Blanks and other ways to write an assignment.
    (b"  A = 1 \n\tB=\t2\n", {"A": "1", "B": "2"}),
    (b"export A=1\nexport   B=2\n", {"A": "1", "B": "2"}),
    (b"exportA=1\nB=2\n", {"exportA": "1", "B": "2"}),
    (b"A: 1\n", {"A": "1"}),
    (b"A.b=1\nA-b=2\nA[0]=3\n", {"A.b": "1", "A-b": "2", "A[0]": "3"}),
    (b"A=a=b:c\n", {"A": "a=b:c"}),
    (b"A=a  b\n", {"A": "a  b"}),
    # Nothing, and a name alone, which is one of the environment.
    (b"A=\nB= \n", {"A": "", "B": ""}),
    (b"A=''\nB=\"\"\n", {"A": "", "B": ""}),
    (b"A\nOUTER\n", {"OUTER": "outer"}),
    # Comments.
    (b"A=8010 # mine\n", {"A": "8010"}),
    (b"A=a#b\n", {"A": "a#b"}),
    (b"A=#b\n", {"A": "#b"}),
    (b"A='x' # c\nB=2\n", {"A": "x", "B": "2"}),
    (b"A='x # y'\nB=\"x # y\"\n", {"A": "x # y", "B": "x # y"}),
    # Quotes and escapes.
    (b"A='it is \"so\"'\n", {"A": 'it is "so"'}),
    (b"A='it\\'s'\n", {"A": "it's"}),
    (b'A="say \\"so\\""\n', {"A": 'say "so"'}),
    (b'A="1\\n2\\t3\\\\4"\n', {"A": "1\n2\t3\\4"}),
    (b"A='1\\n2'\nB=1\\n2\n", {"A": "1\\n2", "B": "1\\n2"}),
    (b'A="a\\qb"\nB="\\0101"\n', {"A": "a\\qb", "B": "A"}),
    (b"A=it's\nB=2\n", {"A": "it's", "B": "2"}),
    # Several lines.
    (b"A='one\ntwo'\nB=2\n", {"A": "one\ntwo", "B": "2"}),
    (b'A="one\r\ntwo"\r\nB=2\r\n', {"A": "one\r\ntwo", "B": "2"}),
    # Other variables.
    (b"B=80\nA=${B}19\n", {"A": "8019", "B": "80"}),
    (b"B=80\nA=$B-$OUTER\n", {"A": "80-outer", "B": "80"}),
    (b'B=80\nA="${B}19"\n', {"A": "8019", "B": "80"}),
    (b"B=80\nA='${B}19'\n", {"A": "${B}19", "B": "80"}),
    (b"A=$B\nB=80\n", {"A": "", "B": "80"}),
    (b"OUTER=mine\nA=$OUTER\n", {"A": "outer", "OUTER": "outer"}),
    (b"A=${N:-d}${OUTER:-d}${EMPTY:-e}\n", {"A": "doutere"}),
    (b"A=${N-d}${OUTER-d}${EMPTY-e}\n", {"A": "douter"}),
    (b"A=${N:+r}${OUTER:+s}${EMPTY:+t}${EMPTY+u}\n", {"A": "su"}),
    (b"A=${N:-${M:-deep}}!\n", {"A": "deep!"}),
    (b"A=${OUTER:?is needed}\n", {"A": "outer"}),
    # Dollar signs of passwords.
    (b"A=pa$$word\n", {"A": "pa$word"}),
    (b"A='pa$word'\n", {"A": "pa$word"}),
    (b'A="pa\\$word"\n', {"A": "pa$word"}),
    (b"A=pa$5\nB=pa$\n", {"A": "pa$5", "B": "pa$"}),
    (b"A=$(ls)\nB=`ls`\n", {"A": "$(ls)", "B": "`ls`"}),
]

# Files that Compose refuses, and a word of our reason.
REFUSED: list[tuple[bytes, str]] = [
    (b"A=1\nB C=2\n", "line 2, has a space in the name"),
    (b"A=1\n\n=s3cret\n", "line 3, has a value without a name"),
    (b"s3cret+more\n", "line 1, has a character that no name"),
    (b"A=1\nB='s3cret\nC=2\n", "line 2, has a quote that does not end"),
    (b"A='s3'cret'\n", "line 1, has a character that no name"),
    (b"A=${s3cret\n", "line 1, sets A: "),
    (b"A=${\n", "line 1, sets A: "),
    (b"A=${B:?s3cret}\n", "line 1, sets A: it needs B"),
    ("A=s3cret\n".encode("utf-16"), "UTF-16"),
    (b"# f\xfcr alle\nB\xfcro=s3cret\n", "line 2, has a character that no name"),
]

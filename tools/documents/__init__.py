"""What users of other stacks type, as data, with a check of each row: `nox -s
documents`.

A row of the table (`row.Row`) says what is typed or expected, what happens here, and
which page describes it; its check does what is typed against a running stack and
returns one line about what it saw. The rows are in `rows/`, a module a subject;
`docs/coming-from.md` is made from them.

To write a check, add a function to the module that has the row and name it in the row:

    def bare_predict(stack: Stack) -> str:
        answer = stack.post("/predict", IRIS)
        expect(answer.status == 200, f"POST /predict answers {answer.status}:
        {answer.text}") return f"task {answer.json['task']}:
        {answer.json['prediction']}"

What a check has (`stack.Stack`):

- `stack.get(path)`, `stack.post(path, body)`: an `Answer` with `status`, `headers`,
  `text`, `json`, whatever the status; `service="mlflow-server"` asks another one;
  `key=True` sends the admin key.
- `stack.shell(command)`: runs a command as it is typed, by a shell in the stack's
  checkout, and returns what it prints; another exit status than 0 is a failure with its
  output. Addresses such as `localhost:8000` become those of this stack; so they do in
  `stack.as_here(text)`.
- `stack.first_line(command)`: the first line of a command that does not end, such as
`logs -f`.
- `stack.query(promql)`, `stack.eventually(question, seconds, what)`,
`stack.await_healthy()`.
- `stack.url(service, path)`, `stack.ports`, `stack.checkout`, `stack.environment`,
  `stack.admin_key`, `stack.mode` ("containers" or "local").
- `stack.require("grafana")`, `stack.require_containers()`: the row cannot run without
them.

A check fails by `expect(condition, sentence)` or any exception; `raise
CannotRun(reason)` says that this machine cannot run it. It leaves the stack and its
checkout as they were: the next row, and the tests in `tests/stack`, use the same. To
try one: `python -m tools.documents --row 13`, with `--mode local` for local processes.
"""

"""What users of other stacks type, as a table with a check of each row.

A row (`row.Row`) says what is typed or expected, what happens here, and which page
describes it. Its check types the same against a running stack and returns one line
with the result. The rows are in `rows/`, one module for each subject; `nox -s docs`
writes the table in `docs/coming-from.md` from them, `nox -s documents` runs them.

To write a check, add a function to the module that has the row and name it in the row:

    def bare_predict(stack: Stack) -> str:
        answer = stack.post("/predict", IRIS)
        expect(answer.status == 200, f"POST /predict answers {answer.text}")
        return f"task {answer.json['task']}: {answer.json['prediction']}"

The parameter of a check is the running stack (`stack.Stack`):

- `stack.get(path)` and `stack.post(path, body)` return an `Answer` with `status`,
  `headers`, `text` and `json`, for any status. With `service="mlflow-server"` the
  request goes to another service, with `key=True` it has the admin key.
- `stack.shell(command)` runs a command in a shell, in the stack's checkout, and
  returns its output; an exit status other than 0 is a failure. Addresses such as
  `localhost:8000` are replaced by those of this stack, as in `stack.as_here(text)`.
- `stack.first_line(command)` returns the first line of a command that does not end,
  such as `logs -f`.
- `stack.query(promql)`, `stack.eventually(question, seconds, what)` and
  `stack.await_healthy()`.
- `stack.url(service, path)`, `stack.ports`, `stack.checkout`, `stack.environment`,
  `stack.admin_key`, `stack.mode` ("containers" or "local").
- `stack.require("grafana")` and `stack.require_containers()` skip the row where they
  do not run.

A check fails with `expect(condition, sentence)` or with any exception;
`raise CannotRun(reason)` means that this machine cannot run it. A check leaves the
stack and its checkout unchanged, because the next row and the tests in `tests/stack`
use the same. To try one: `python -m tools.documents --row 13`, with `--mode local` for
local processes.
"""

"""How often the gate errs: `nox -s gate-study`; see docs/gate.md."""

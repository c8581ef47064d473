# Short names for the project's commands, where Make is installed; nothing here needs it.
.PHONY: up down test lint format

up:
	./start-mlops.sh
down:
	./start-mlops.sh --stop
test:
	./scripts/test.sh
lint:
	./scripts/nox.sh -s lint
format:
	./scripts/nox.sh -s format

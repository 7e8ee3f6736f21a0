# Aliases: every command is in dev.py, which needs no make. ARGS="…" passes arguments on.
.PHONY: run test check bench schema lock
run test check bench schema lock:
	@python3 dev.py $@ $(ARGS)

"""The entry of the command."""

import os
import sys

FAULT = 70  # EX_SOFTWARE of sysexits.h


def main() -> None:
    """Run one command; exits with the codes of `twinplane_cli.errors`."""
    # gRPC's own log would stand between our lines; what it says comes back as the error of the call.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        # Loading takes long enough to be interrupted.
        from twinplane_cli.app import app

        app(prog_name="twinplane")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("TWINPLANE_TRACEBACK"):
            raise
        sys.exit(_fault(error))


def _fault(error: Exception) -> int:
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("twinplane"):
        print(f"twinplane: {error}; install what it needs: pip install 'twinplane[cli]'", file=sys.stderr)
        return 2
    print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
    print("  help: this is a fault of the command; TWINPLANE_TRACEBACK=1 shows where", file=sys.stderr)
    return FAULT


if __name__ == "__main__":
    main()

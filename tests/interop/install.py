"""Other people's programs, installed into build/interop where they are not yet; versions are pinned here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from twinplane.schema.compile import standard_directories

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "build/interop"
YANG = REPOSITORY / "yang"

GNMI_CLI = ("github.com/openconfig/gnmi/cmd/gnmi_cli", "v0.14.1")
GOYANG = ("github.com/openconfig/goyang", "v1.6.3")
YGOT = ("github.com/openconfig/ygot/generator", "v0.36.0")
PYGNMI = "pygnmi==0.8.15"
AIOGNMI = "aiognmi==0.2.0"
PATIENCE = 900.0  # seconds for one installation over a slow network


def run(*arguments: str | Path, cwd: Path | None = None, **environ: str) -> str:
    """Run a command to its end; its output. A failure shows all of it."""
    done = subprocess.run(
        [str(one) for one in arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=cwd,
        env={**os.environ, **environ},
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, arguments))}:\n{done.stdout}{done.stderr}"
    return done.stdout


def go() -> str:
    """The Go tool chain of this host."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if found is None:
        pytest.skip("no Go here: the Go clients cannot be built")
    return found


def go_program(module: tuple[str, str]) -> Path:
    """A Go program by module and version."""
    path, version = module
    program = FOLDER / "go" / version / path.rpartition("/")[2]
    if not program.exists():
        run(go(), "install", f"{path}@{version}", GOBIN=str(program.parent), GOFLAGS="-mod=mod")
    return program


def python(requirement: str, interpreter: str | Path = sys.executable) -> Path:
    """The interpreter of an environment of its own in which a package is installed."""
    folder = FOLDER / requirement.replace("==", "-")
    program = folder / "bin/python"
    if not (folder / "whole").exists():
        shutil.rmtree(folder, ignore_errors=True)
        run(interpreter, "-m", "venv", folder)
        run(program, "-m", "pip", "install", "--quiet", requirement)
        (folder / "whole").touch()
    return program


def aiognmi() -> Path:
    """aiognmi, which needs a newer Python than ours may be (its releases before that cannot do TLS)."""
    here = [Path(sys.executable)] if sys.version_info >= (3, 12) else []
    named = [found for minor in (13, 12) if (found := shutil.which(f"python3.{minor}"))]
    managed = sorted(Path.home().glob(".pyenv/versions/3.1[23].*/bin/python"))
    for interpreter in [*here, *map(Path, named), *managed]:
        if (
            subprocess.run([interpreter, "-c", "import venv"], capture_output=True, check=False).returncode
            == 0
        ):
            return python(AIOGNMI, interpreter)
    pytest.skip(f"{AIOGNMI} needs Python 3.12 or newer, which is not here")


def checker() -> Path:
    """A Go program made of our YANG by ygot: reads JSON_IETF, unmarshals, validates, and writes it again."""
    modules = sorted(YANG.glob("twinplane-*.yang"))
    sources = FOLDER / "ygot"
    stamp = "".join(f"{one.name}\n{one.read_text()}" for one in (*modules, Path(__file__)))
    if (sources / "stamp").exists() and (sources / "stamp").read_text() == stamp:
        return sources / "check"
    shutil.rmtree(sources, ignore_errors=True)
    (sources / "tp").mkdir(parents=True)
    run(
        go_program(YGOT),
        f"-path={','.join(map(str, (YANG, *standard_directories())))}",
        f"-output_file={sources / 'tp/tp.go'}",
        "-package_name=tp",
        "-generate_fakeroot",
        "-fakeroot_name=device",
        "-compress_paths=false",
        "-ignore_unsupported",  # YANG notifications have no Go form
        "-exclude_modules=ietf-interfaces",  # imported for its identities; its tree has the name of ours
        *modules,
        next(folder / _IDENTITIES for folder in standard_directories() if (folder / _IDENTITIES).exists()),
    )
    (sources / "go.mod").write_text(_MODULE)
    (sources / "main.go").write_text(_MAIN)
    run(go(), "mod", "tidy", cwd=sources, GOFLAGS="-mod=mod")
    run(go(), "build", "-o", "check", ".", cwd=sources)
    (sources / "stamp").write_text(stamp)
    return sources / "check"


_IDENTITIES = "iana-if-type.yang"  # served, and imported by none of ours

_MODULE = f"""module twinplane.test/interop

go 1.22

require github.com/openconfig/ygot {YGOT[1]}
"""

_MAIN = """package main

import (
	"fmt"
	"os"

	"github.com/openconfig/ygot/ygot"
	"github.com/openconfig/ygot/ytypes"
	"twinplane.test/interop/tp"
)

func fail(step string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, step+":", err)
		os.Exit(1)
	}
}

func main() {
	data, err := os.ReadFile(os.Args[1])
	fail("read", err)
	device := &tp.Device{}
	fail("unmarshal", tp.Unmarshal(data, device))
	// Rows that nobody configured have keys that point at nothing: strictly only where all is configuration.
	references := &ytypes.LeafrefOptions{IgnoreMissingData: len(os.Args) < 3}
	fail("validate", device.Validate(references))
	out, err := ygot.EmitJSON(device, &ygot.EmitJSONConfig{
		Format:         ygot.RFC7951,
		RFC7951Config:  &ygot.RFC7951JSONConfig{AppendModuleName: true},
		ValidationOpts: []ygot.ValidationOption{references},
	})
	fail("emit", err)
	fmt.Println(out)
}
"""

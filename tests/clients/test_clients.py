"""Clients that the usual generators create from `/openapi.json`, against the API.

Each program predicts one record, several and a table, predicts without naming a task,
explains, reads models, infers by the Open Inference Protocol, and sends a bad request.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.clients.conftest import HERE, PROGRAMS, run, tool

Compare = Callable[[str], None]
ONLY_CODE = "apiTests=false,modelTests=false,apiDocs=false,modelDocs=false"


def test_typescript(
    npm_folder: Path, document: Path, arguments: list[str], compare: Compare
) -> None:
    """openapi-typescript writes the types, openapi-fetch sends the requests."""
    node = tool("node")
    modules = npm_folder / "node_modules"
    folder = npm_folder / "client"  # below the packages, where Node.js looks for them
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(PROGRAMS / "try_client.ts", folder)
    shutil.copy(HERE / "tsconfig.json", folder)
    generator = modules / "openapi-typescript" / "bin" / "cli.js"
    run(node, generator, document, "--output", "schema.ts", folder=folder)
    run(node, modules / "typescript" / "bin" / "tsc", folder=folder)
    output = run(node, "out/try_client.js", *arguments, folder=folder)
    compare(output)


def test_python(
    python: Path, document: Path, arguments: list[str], compare: Compare, tmp_path: Path
) -> None:
    """openapi-python-client writes a package, and leaves nothing out."""
    generate = ["generate", "--path", document, "--meta", "none", "--fail-on-warning"]
    generate += ["--output-path", "mlops_client"]
    # It formats its output with another program, which it searches for.
    search = os.pathsep.join([str(python), os.environ["PATH"]])
    run(python / "openapi-python-client", *generate, folder=tmp_path, PATH=search)
    shutil.copy(PROGRAMS / "try_client.py", tmp_path)
    compare(run(python / "python", "try_client.py", *arguments, folder=tmp_path))


def test_java(
    openapi_generator: Path,
    document: Path,
    arguments: list[str],
    compare: Compare,
    tmp_path: Path,
) -> None:
    """openapi-generator writes classes for Java's own HTTP client and Jackson."""
    java = tool("java")
    javac = tool("javac")
    options = "invokerPackage=mlops,apiPackage=mlops.api,modelPackage=mlops.model"
    options += ",openApiNullable=false,useSingleRequestParameter=true"
    generate = ["generate", "--input-spec", document, "--generator-name", "java"]
    generate += [
        "--library",
        "native",
        "--generate-alias-as-model",
        "--output",
        "client",
    ]
    # A class cannot have a method `wait` of its own.
    generate += ["--parameter-name-mappings", "wait=waitSeconds"]
    generate += ["--global-property", ONLY_CODE, "--additional-properties", options]
    run(java, "-jar", openapi_generator, *generate, folder=tmp_path)
    sources = [*(tmp_path / "client" / "src" / "main").rglob("*.java")]
    sources += (PROGRAMS / "java").rglob("*.java")
    # The generator is itself a program in Java, and Jackson lies in its archive.
    compiler = [
        javac,
        "-nowarn",
        "-proc:none",
        "-d",
        "classes",
        "-cp",
        openapi_generator,
    ]
    run(*compiler, *sources, folder=tmp_path)
    search = os.pathsep.join(["classes", str(openapi_generator)])
    compare(run(java, "-cp", search, "TryClient", *arguments, folder=tmp_path))


def test_go(
    openapi_generator: Path,
    document: Path,
    arguments: list[str],
    compare: Compare,
    tmp_path: Path,
) -> None:
    """openapi-generator writes a package that needs nothing but Go itself."""
    go = tool("go")
    java = tool("java")
    shutil.copytree(PROGRAMS / "go", tmp_path, dirs_exist_ok=True)
    generate = ["generate", "--input-spec", document, "--generator-name", "go"]
    generate += ["--additional-properties", "packageName=mlops,withGoMod=false"]
    generate += ["--global-property", ONLY_CODE, "--output", "mlops"]
    run(java, "-jar", openapi_generator, *generate, folder=tmp_path)
    run(
        go,
        "build",
        "-o",
        "try_client",
        ".",
        folder=tmp_path,
        GOPROXY="off",
        GOTOOLCHAIN="local",
    )
    compare(run(tmp_path / "try_client", *arguments, folder=tmp_path))


def test_go_by_oapi_codegen(document: Path, tmp_path: Path) -> None:
    """oapi-codegen writes a package that compiles; Go fetches its dependencies."""
    generator = tool("oapi-codegen")
    go = tool("go")
    run(go, "mod", "init", "mlops", folder=tmp_path)
    options = ["-generate", "types,client", "-package", "mlops", "-o", "client.go"]
    run(generator, *options, document, folder=tmp_path)
    run(go, "mod", "tidy", folder=tmp_path)
    run(go, "build", "./...", folder=tmp_path)

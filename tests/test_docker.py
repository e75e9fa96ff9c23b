"""docker/ without an engine: what it says is sound, and its very commands serve two people through its proxy."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import anyio
import httpx2
import pytest

from tests import image
from tests.live.processes import GONE_WITHIN, free_port
from tests.test_readme import start
from tests.websocket.wire import Caller, greeted

SERVICE_RESTART = 1012
# An address of documents: nobody's.
NOBODY = "192.0.2.1"


def test_the_image_is_of_two_stages_and_runs_as_nobody_in_particular() -> None:
    assert [name for name, _ in image.instructions()].count("FROM") == 2
    (user,) = image.said("USER")
    assert user not in ("root", "0")
    order = [name for name, _ in image.final_stage()]
    assert order.index("USER") > max(place for place, name in enumerate(order) if name == "COPY")
    # What the image is made from holds no key.
    assert not {"SECRET_KEY", "JWT_SIGNING_KEY"} & set(image.variables())


def test_compose_has_what_it_names() -> None:
    services = image.compose()["services"]
    assert set(services) == {"migrate", "web1", "web2", "proxy", "postgres", "redis"}
    assert services["web1"] == services["web2"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        assert set(service["networks"]) <= set(image.compose()["networks"])
    # The proxy alone is reached from outside, and the web processes believe it alone.
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]
    address = services["proxy"]["networks"]["inside"]["ipv4_address"]
    assert services["web1"]["environment"]["FORWARDED_ALLOW_IPS"] == address
    for name in ("web1", "proxy"):
        assert int(services[name]["stop_grace_period"].rstrip("s")) > 10


def test_what_the_image_is_made_from_is_what_it_copies_and_nothing_else() -> None:
    """A key, a database or a history that lies beside them never reaches the engine."""
    lines = (image.ROOT / ".dockerignore").read_text().split()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert lines[0] == "*"
    copied = [line.split()[:-1] for name, line in image.instructions() if name == "COPY"]
    assert let_in == {source.removeprefix("./") for sources in copied for source in sources}
    assert "**/__pycache__" in lines


def test_whether_there_is_tls_is_said_and_who_ended_it_is_believed_alone() -> None:
    """Neither is guessed: with one guess a page redirects to where nobody listens, with the other anyone is secure."""
    written = (image.ROOT / "docker/compose.yml").read_text()
    assert "HTTPS: ${HTTPS:?" in written
    trusted = image.compose()["services"]["proxy"]["environment"]["TRUSTED_PROXY"]
    # Within its container that is the proxy itself.
    assert trusted == "127.0.0.1"
    site = (image.ROOT / "docker/nginx.conf").read_text()
    assert "set_real_ip_from ${TRUSTED_PROXY};" in site
    # A web process that is made anew has another address.
    assert "resolver 127.0.0.11" in site
    for name in ("web1", "web2"):
        assert f"server {name}:8000 resolve;" in site


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's directory, with static files collected by its own line."""
    laid_out = image.laid_out(tmp_path_factory.mktemp("image"))
    run(laid_out, ["sh", "-c", image.collecting()], image.environment())
    assert (laid_out / "staticfiles" / "staticfiles.json").exists()
    return laid_out


def run(place: Path, command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def on_one_machine(place: Path, port: int) -> dict[str, str]:
    """Compose's environment, but for what a container would have of its own: address, database, Redis."""
    return image.environment(
        HOST="127.0.0.1",
        PORT=str(port),
        FORWARDED_ALLOW_IPS="127.0.0.1",
        DATABASE_URL=f"sqlite:///{place / 'db.sqlite3'}",
        REDIS_URL="",
    )


@contextmanager
def serving(place: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A web process by the image's entry point and command."""
    port = free_port()
    log = place / f"{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*image.argv("ENTRYPOINT"), *image.argv("CMD")],
            cwd=place,
            env=on_one_machine(place, port),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        start(process, port, log)
        yield process, port
    finally:
        process.terminate()
        process.wait(GONE_WITHIN)


@pytest.fixture(scope="module")
def webs(place: Path) -> Iterator[list[tuple[subprocess.Popen[bytes], int]]]:
    """The two web processes, after compose's ``migrate``."""
    command = image.compose()["services"]["migrate"]["command"]
    entry = image.argv("ENTRYPOINT")
    run(place, [*entry, *command.split()], on_one_machine(place, 0))
    with ExitStack() as running:
        yield [running.enter_context(serving(place)) for _ in range(2)]


@contextmanager
def proxying(
    place: Path, webs: list[tuple[subprocess.Popen[bytes], int]], trusted: str
) -> Iterator[str]:
    """The image's proxy under its own configuration, with only the addresses of this machine in it."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if nginx is None:
        pytest.skip("NGINX IS NOT INSTALLED: docker/nginx.conf was not tried")
    port = free_port()
    site = (image.ROOT / "docker/nginx.conf").read_text()
    # An older nginx asks for a name only once; addresses need no asking.
    for name, (_, web) in zip(("web1:8000 resolve", "web2:8000 resolve"), webs, strict=True):
        assert name in site
        site = site.replace(name, f"127.0.0.1:{web}")
    site = site.replace("listen 80;", f"listen 127.0.0.1:{port};")
    site = site.replace("${TRUSTED_PROXY}", trusted)
    site = site.replace("/var/log/nginx/", f"{place}/")
    temporary = "".join(
        f"{kind}_temp_path {place}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf = place / "nginx.conf"
    conf.write_text(
        f"daemon off; pid {place}/nginx.pid; error_log {place}/nginx.log;"
        f"events {{}} http {{ {temporary}\n{site} }}"
    )
    command = [nginx, "-p", str(place), "-c", str(conf), "-e", f"{place}/nginx.log"]
    run(place, [*command, "-t"], {})
    process = subprocess.Popen(command, cwd=place)
    try:
        start(process, port, place / "nginx.log")
        yield f"localhost:{port}"
    finally:
        process.send_signal(signal.Signals[image.compose()["services"]["proxy"]["stop_signal"]])
        process.wait(GONE_WITHIN)


@pytest.fixture(scope="module")
def proxy(place: Path, webs: list[tuple[subprocess.Popen[bytes], int]]) -> Iterator[str]:
    with proxying(place, webs, NOBODY) as address:
        yield address


@pytest.mark.parametrize(("trusted", "believed"), [(NOBODY, False), ("127.0.0.1", True)])
def test_only_the_proxy_in_front_is_believed_about_tls_and_addresses(
    place: Path, webs: list[tuple[subprocess.Popen[bytes], int]], trusted: str, believed: bool
) -> None:
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9, 203.0.113.7"}
    with proxying(place, webs, trusted) as address:
        root = httpx2.get(f"http://{address}/api/?format=json", headers=said, trust_env=False)
        unsaid = httpx2.get(f"http://{address}/api/?format=json", trust_env=False)
    assert root.json()["me"].startswith("https:" if believed else "http:")
    assert unsaid.json()["me"].startswith("http:")
    told, _ = (place / "access.log").read_text().splitlines()[-2:]
    assert told.split()[0] == ("203.0.113.7" if believed else "127.0.0.1")


def test_the_health_check_asks_under_a_name_that_is_answered(
    place: Path, webs: list[tuple[subprocess.Popen[bytes], int]]
) -> None:
    assert "127.0.0.1" not in image.SECRETS["ALLOWED_HOSTS"]
    run(place, image.argv("HEALTHCHECK"), on_one_machine(place, webs[0][1]))
    with pytest.raises(AssertionError, match="refused"):
        run(place, image.argv("HEALTHCHECK"), on_one_machine(place, free_port()))


def test_a_web_process_that_stops_sends_its_people_to_the_other(
    proxy: str, webs: list[tuple[subprocess.Popen[bytes], int]]
) -> None:
    """Sockets are balanced over both; the one that leaves says so, and who comes back goes on with the other."""
    ann, bob = Caller.registered(proxy, "ann"), Caller.registered(proxy, "bob")
    room = ann.group("private", bob)

    async def chat() -> None:
        async with greeted(proxy, ann.token) as one, greeted(proxy, bob.token) as other:
            assert (await one.ask("message.send", room=room, text="one"))["type"] == "done"
            await other.hear("message.sent")
            webs[0][0].send_signal(signal.SIGTERM)
            codes: list[int] = []
            with anyio.move_on_after(GONE_WITHIN) as waiting:
                async with anyio.create_task_group() as both:

                    async def until_told(wire: object) -> None:
                        codes.append(await wire.closed())  # type: ignore[attr-defined]
                        both.cancel_scope.cancel()

                    both.start_soon(until_told, one)
                    both.start_soon(until_told, other)
            assert not waiting.cancelled_caught
            # One each: the other socket stays open at the other process.
            assert codes == [SERVICE_RESTART]
        async with greeted(proxy, ann.token) as again:
            assert (await again.ask("message.send", room=room, text="two"))["type"] == "done"

    anyio.run(chat)
    assert ann.says(room, "three")["seq"]

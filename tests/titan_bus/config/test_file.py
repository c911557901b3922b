"""The configuration file: what it may say, and how it says what is wrong."""

import contextlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile import assert_linear
from titan_bus import BusConfig, StreamConfig
from titan_bus.config import ArchiveConfig, ClaimConfig, MetricsConfig, ReadConfig, RetryConfig
from titan_bus.config.file import _VARIABLE
from titan_bus.connections.endpoint import Endpoint
from titan_bus.errors import ConfigError, ConfigValueError
from titan_bus.event import Priority

AS_SPECIFIED = """
redis:
  url: redis://localhost:6379/0
streams:
  - name: chat.v1
    maxlen: 1000000
    rate_limit: 500
    retry_limit: 3
  - name: fs.v1
priority_weights: {high: 5, medium: 3, low: 1}
"""

EVERYTHING = """
redis: {url: "unix:///run/bus.sock"}
source: shop@v1
consumer: shop-1
prefix: "shop:"
streams:
  - {name: orders.v1, rate_limit: null, trim: hard}
rate_limit: 1000
read: {block_ms: 500, count: 10}
retry: {base_s: 1, cap_s: 30.5}
claim: {min_idle_s: 30, delivery_limit: 3}
archive: {target: s3://bucket/events, topics: [orders.v1], max_age_days: 30, options: {region: eu}}
metrics: {port: 9999}
replicas: 1
patience_s: 2
drain_s: 0
"""


@pytest.fixture
def load(tmp_path: Path):
    def load(text: str | bytes) -> BusConfig:
        path = tmp_path / "bus.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return BusConfig.load(path)

    return load


def test_the_specified_file_is_read(load) -> None:
    """`redis.url`, `streams` and `priority_weights` are as specified; the rest has its defaults."""
    assert load(AS_SPECIFIED) == BusConfig(
        url="redis://localhost:6379/0",
        streams=(
            StreamConfig(name="chat.v1", maxlen=1_000_000, rate_limit=500, retry_limit=3),
            StreamConfig(name="fs.v1"),
        ),
        priority_weights={Priority.HIGH: 5, Priority.MEDIUM: 3, Priority.LOW: 1},
    )


def test_every_setting_can_be_in_the_file(load) -> None:
    """A file can say all that the structs can."""
    config = load(EVERYTHING)
    assert config == BusConfig(
        url="unix:///run/bus.sock",
        source="shop@v1",
        consumer="shop-1",
        prefix="shop:",
        streams=(StreamConfig(name="orders.v1", trim="hard"),),
        rate_limit=1000,
        read=ReadConfig(block_ms=500, count=10),
        retry=RetryConfig(base_s=1, cap_s=30.5),
        claim=ClaimConfig(min_idle_s=30, delivery_limit=3),
        archive=ArchiveConfig(
            target="s3://bucket/events", topics=("orders.v1",), max_age_days=30, options={"region": "eu"}
        ),
        metrics=MetricsConfig(port=9999),
        replicas=1,
        patience_s=2,
        drain_s=0,
    )
    told = {field.name for field in msgspec.structs.fields(BusConfig)} - {"url", "priority_weights"}
    assert told <= {line.partition(":")[0] for line in EVERYTHING.splitlines()}


@pytest.mark.parametrize(
    ("written", "number"),
    [("0", 0), ("+5", 5), ("0.5", 0.5), (".5", 0.5), ("5.", 5), ("1.5e+3", 1500), ("!!float 1e3", 1000)],
)
def test_a_plain_number_is_what_it_looks_like(load, written: str, number: float) -> None:
    """What people take for a decimal number is read as that."""
    assert load(f"{URL}drain_s: {written}").drain_s == number


def test_a_variable_of_the_environment_keeps_a_secret_out_of_the_file(
    load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`${NAME}` is the variable, `$$` a dollar sign, a lone dollar itself; what a variable holds is text."""
    monkeypatch.setenv("BUS_PASSWORD", "s3cr3t${HOME}")
    config = load("redis: {url: 'redis://:${BUS_PASSWORD}@h'}\nsource: a$b$${c}\n")
    assert (config.url, config.source) == ("redis://:s3cr3t${HOME}@h", "a$b${c}")


def test_variables_are_looked_for_in_time_in_proportion_to_the_text() -> None:
    """Of many braces that nobody closes none is followed to the end of the text."""
    assert_linear(lambda text: _VARIABLE.sub("", text), 120_000)


URL = "redis: {url: redis://h}\n"


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("", 0, "empty"),
        ("- a", 1, "has to be a mapping"),
        ("streams: []", 1, "redis.url is missing: write `redis:"),
        ("redis: {}", 1, "redis.url is missing"),
        ("redis: {url: 7}", 1, "redis.url has to be text, not this number: put it in quotes"),
        (URL + "source: =", 2, "source has to be text, not this: put it in quotes"),
        (URL + "rate_limit: =", 2, "rate_limit has to be a number, not this"),
        (URL + "source: !!bool maybe", 2, "source has to be text, not this"),
        (URL + "source: <<", 2, "source has to be text, not this: put it in quotes"),
        ("redis: {url: localhost}", 1, "url: has to begin with redis://"),
        ("\nurl: redis://h", 2, "redis.url is missing"),
        (URL + "url: redis://h", 2, "there is no url; the server's address stands under redis"),
        (URL + "redis: {url: redis://h}", 2, "redis is there twice, first on line 1"),
        (URL + "strems: []", 2, "there is no strems; did you mean streams?"),
        (URL + "zzz: 1", 2, "there is no zzz; there are source, consumer"),
        (URL + "streams: {name: a}", 2, "streams has to be a list"),
        (URL + "streams:\n  - maxlen: 5", 3, "streams[0].name is missing"),
        (URL + "streams:\n  - name: a\n    max_len: 5", 4, "did you mean streams[0].maxlen?"),
        (URL + "streams:\n  - name: a\n    maxlen: 0", 4, "maxlen: has to be 1 or more, not 0"),
        (URL + "streams:\n  - name: a\n    maxlen: many", 4, "maxlen has to be a whole number, not this text"),
        (URL + "streams:\n  - name: a\n    maxlen: 1.5", 4, "has to be a whole number, not this number"),
        (URL + "streams:\n  - name: a\n    maxlen: true", 4, "a whole number, not true or false"),
        (URL + "streams:\n  - name: a\n    maxlen:", 4, "a whole number, not nothing"),
        (URL + "streams:\n  - name: a\n    maxlen: [1]", 4, "a whole number, not a list"),
        (URL + "streams:\n  - name: a\n    maxlen: {a: 1}", 4, "a whole number, not a mapping"),
        (URL + "streams:\n  - name: a\n    rate_limit: 0", 4, "rate_limit: has to be more than 0"),
        (URL + "streams:\n  - name: a\n    rate_limit: .nan", 4, "rate_limit has to be a number"),
        (URL + "rate_limit: .inf", 2, "has to be a number, not this: write it in plain digits, as 1000 or 0.5"),
        (URL + "rate_limit: 1e3", 2, "a number, not this text: write it in plain digits, as 1000 or 0.5"),
        (URL + "rate_limit: 1.0e+999", 2, "a number, not this number"),
        (URL + "rate_limit: 1:30.5", 2, "not this: write it in plain digits"),
        (URL + "rate_limit: 0100.5", 2, "not this: write it in plain digits"),
        (URL + "drain_s: 1:30", 2, "not this: write it in plain digits"),
        (URL + "drain_s: !!int 1:30", 2, "not this: write it in plain digits"),
        (URL + "replicas: 0100", 2, "a whole number, not this: write it in plain digits, as 1000"),
        (URL + "replicas: 0x10", 2, "not this: write it in plain digits"),
        (URL + "replicas: 0b1", 2, "not this: write it in plain digits"),
        (URL + "replicas: 1_000", 2, "not this: write it in plain digits"),
        (URL + "replicas: '3'", 2, "not this text: write it in plain digits"),
        (URL + "consumer: 0100", 2, "consumer has to be text, not this: put it in quotes"),
        (URL + "streams:\n  - name: a\n    retry_limit: -1", 4, "retry_limit: has to be 0 or more"),
        (URL + "streams:\n  - name: a\n    trim: soft", 4, "trim has to be one of hard, safe"),
        (URL + "streams:\n  - name: ''", 3, "name: has to be a name"),
        (URL + "streams:\n  - name: a\n  - name: a", 4, "streams[1]: a is there already"),
        (URL + "priority_weights: {high: 3}", 2, "priority_weights: medium has to be there"),
        (URL + "priority_weights: {high: 0, medium: 1, low: 1}", 2, "priority_weights: high has to be"),
        (URL + "priority_weights: {high: -3, medium: 1, low: 1}", 2, "has to be 1 or more"),
        (URL + "priority_weights: {urgent: 3}", 2, "has to be one of high, medium, low"),
        (URL + "read:\n  block_ms: 0", 3, "block_ms: has to be 1 or more"),
        (URL + "read:\n  block_ms: " + "9" * 20, 3, "block_ms: has to be 600000 or less, not 9999"),
        (URL + "read:\n  count: 1000000", 3, "count: has to be 100000 or less"),
        (URL + "streams:\n  - name: a\n    maxlen: 1" + "0" * 26, 4, "maxlen: has to be 9007199254740992 or less"),
        (URL + "streams:\n  - name: a\n    rate_limit: 1" + "0" * 400, 4, "rate_limit: has to be"),
        (URL + "streams:\n  - name: a\n    retry_limit: 3000000000", 4, "retry_limit: has to be 2147483647 or"),
        (URL + "claim:\n  min_idle_s: 1.0e+300", 3, "min_idle_s: has to be 31622400 or less"),
        (URL + "claim:\n  delivery_limit: 3000000000", 3, "delivery_limit: has to be 2147483647 or less"),
        (URL + "retry:\n  cap_s: 1.0e+300", 3, "cap_s: has to be 31622400 or less"),
        (URL + "archive:\n  target: a\n  max_age_days: 1.0e+9", 4, "max_age_days: has to be 36525 or less"),
        (URL + "archive:\n  target: a\n  max_bytes: 1" + "0" * 26, 4, "max_bytes: has to be 9007199254740992"),
        (URL + "metrics:\n  every_s: 1.0e+300", 3, "every_s: has to be 31622400 or less"),
        (URL + "priority_weights: {high: 3000000000, medium: 1, low: 1}", 2, "has to be 2147483647 or less"),
        (URL + "replicas: 3000000000", 2, "replicas: has to be 2147483647 or less"),
        (URL + "patience_s: 1.0e+300", 2, "patience_s: has to be 31622400 or less"),
        (URL + "rate_limit: 1.0e+300", 2, "rate_limit: has to be 9007199254740992 or less"),
        (URL + "read:\n  count: 0", 3, "count: has to be 1 or more"),
        (URL + "drain_s: -" + "9" * 400, 2, "drain_s: has to be 0 or more"),
        (URL + "drain_s: " + "9" * 5_000, 2, "drain_s has to be a number, not this"),
        (URL + "metrics:\n  port: 70000", 3, "port: has to be 0 to 65535"),
        (URL + "drain_s: -1", 2, "drain_s: has to be 0 or more"),
        (URL + "source: &s shop\nconsumer: *s", 2, "anchors"),
        (URL + "consumer: *s", 2, "aliases"),
        (URL + "source: !!python/object/apply:os.system ['true']", 2, "is not read"),
        (URL + "source: !env NAME", 2, "the tag !env is not read"),
        (URL + "source: ${NO_SUCH_VARIABLE}", 2, "the environment has no NO_SUCH_VARIABLE"),
        (URL + "source: ${}", 2, "${} names no variable: write ${NAME}, or $${} for the text"),
        (URL + "source: ${NAME:-shop}", 2, "names no variable: write ${NAME}"),
        (URL + "source: 2026-01-01", 2, "has to be text"),
        (URL + "? [a]\n: b", 2, "a key is a word"),
        (URL + "---\na: b", 2, "second document"),
        (URL + "source: 'open", 2, "this is no YAML"),
        (URL + "\tsource: a", 2, "this is no YAML"),
        (URL + "source: a\x00b", 2, "control character"),
        (URL.encode() + b"source: \xff", 2, "not UTF-8"),
        (URL + "source: " + "[" * 10_000, 2, "in one another"),
        (" " * 300_000, 0, "longer than"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(load, text: str | bytes, line: int, sentence: str) -> None:
    """Every fault is refused with file, line, and a sentence that has the cure."""
    with pytest.raises(ConfigError) as refused:
        load(text)
    assert refused.value.line == line, str(refused.value)
    assert sentence in refused.value.detail
    assert str(refused.value).startswith(f"{refused.value.path}:")


MANY = """\
redis: {url: localhost}
sourse: shop
streams:
  - {name: a, maxlen: 0, retry_limit: many, trim: soft}
  - {maxlen: 5}
read:
  block_ms: 0
  count: 0
drain_s: 1:30
replicas: -1
"""


def test_all_faults_are_told_at_once(load) -> None:
    """Who mends the file sees every fault with its line, and starts once more and not once for each."""
    with pytest.raises(ConfigError) as refused:
        load(MANY)
    told = [refused.value, *refused.value.others]
    assert [(fault.line, fault.detail.partition(" ")[0]) for fault in told] == [
        (1, "url:"), (2, "there"), (4, "streams[0].retry_limit"), (4, "streams[0].trim"), (4, "maxlen:"),
        (5, "streams[1].name"), (7, "block_ms:"), (8, "count:"), (9, "drain_s"), (10, "replicas:"),
    ]  # fmt: skip
    path = refused.value.path
    assert str(refused.value).splitlines() == [f"{path}:{fault.line}: {fault.detail}" for fault in told]


def test_a_sentence_tells_ten_faults(load) -> None:
    """A file of another kind does not fill the screen."""
    with pytest.raises(ConfigError) as refused:
        load(URL + "".join(f"zzz{number}: 1\n" for number in range(30)))
    assert len(refused.value.others) == 29
    assert str(refused.value).count("there is no zzz") == 10
    assert str(refused.value).endswith(": and 20 more")


def test_what_is_left_out_for_a_fault_is_no_other(load) -> None:
    """A part that is not read for its fault is not missed, and leaves no second complaint behind."""
    for text in (
        "redis: {url: [1]}\n",
        URL + "streams:\n  - {name: 5}\n",
        URL + "streams:\n  - {name: ''}\n",
        URL + "streams:\n  - {name: a}\n  - 5\n  - {name: b}\n",
        URL + "priority_weights: {high: 0}\n",
        URL + "priority_weights: {high: x, medium: 2, low: 1}\n",
        URL + "archive: {every_s: 5}\n",
    ):
        with pytest.raises(ConfigError) as refused:
            load(text)
        assert not refused.value.others, str(refused.value)


def test_no_value_of_the_file_is_in_an_error(load, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that cannot be is not repeated: it may be a password in the wrong place."""
    monkeypatch.setenv("SECRET", "s3cr3t")
    with pytest.raises(ConfigError) as refused:
        load(URL + "replicas: ${SECRET}")
    assert "s3cr3t" not in str(refused.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A missing file and a folder are the file's faults, in the same words as any other."""
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ConfigError, match="it cannot be read"):
            BusConfig.load(path)


def test_a_billion_laughs_are_refused_at_the_first(load) -> None:
    """Nested aliases are refused before anything is made of them."""
    text = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    with pytest.raises(ConfigError, match="anchors") as refused:
        load(text)
    assert refused.value.line == 1


def test_a_struct_refuses_what_the_file_would() -> None:
    """A configuration made in code has the same limits, as ValueError and with the field."""
    with pytest.raises(ValueError, match="maxlen") as refused:
        StreamConfig(name="a", maxlen=0)
    assert isinstance(refused.value, ConfigValueError)
    assert refused.value.field == "maxlen"
    with pytest.raises(ConfigValueError, match="not inf"):
        ClaimConfig(min_idle_s=float("inf"))


@settings(deadline=None, max_examples=300, database=None)
@given(st.one_of(st.text(), st.binary(), st.text("{}[]:,-&*!|>'\"\n #ab\t").map(lambda text: URL + text)))
def test_no_file_brings_anything_but_a_configuration_or_its_error(
    tmp_path_factory: pytest.TempPathFactory, text: str | bytes
) -> None:
    """Whatever stands in a file, the answer is a configuration or a ConfigError."""
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode(errors="surrogatepass") if isinstance(text, str) else text)
    with contextlib.suppress(ConfigError):
        BusConfig.load(path)


@pytest.mark.parametrize(
    "server", ["redis://u:hidden@h:1/0", "redis+cluster://u:p@hidden@h:1", "unix://:hidden@/s"]
)
def test_no_password_is_in_a_repr(server: str) -> None:
    """It ends in logs: the server's, the store's keys, and what is parsed of the URL."""
    keys = {"access_key_id": "hidden", "secret_access_key": "hidden"}
    config = BusConfig(url=server, archive=ArchiveConfig(target="s3://bucket", options=keys))
    assert "hidden" not in repr(config)
    assert "source='titan_bus'" in repr(config)
    assert "hidden" not in repr(Endpoint.parse("redis://u:hidden@h:1/0"))

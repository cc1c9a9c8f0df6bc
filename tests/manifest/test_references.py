"""References to secrets: what is kept of a key vault's, and where files may lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.core.groups import SecretState
from reconciler.core.references import VaultReference
from reconciler.manifest import open_project
from reconciler.manifest.references import Surroundings, followed
from tests.manifest.conftest import web

PROJECT = (
    "owner: shop\ndefaults: {subscription: 00000000-0000-0000-0000-000000000000, "
    "resourceGroup: rg, location: westeurope}\n"
)
KEY_VAULT = "{fromKeyVault: {vault: kv-shop, secret: db}}"


@pytest.fixture(autouse=True)
def project(write):
    write("aci-reconcile.yaml", PROJECT)


def with_variable(value: str) -> str:
    return web() + f"        environmentVariables: [{{name: A, secureValue: {value}}}]\n"


def with_volume(value: str) -> str:
    return web() + f"  volumes: [{{name: v, secret: {{k: {value}}}}}]\n"


def found(loaded) -> list[str]:
    return [f"{finding.rule} {finding.where}" for finding in loaded.findings]


# Key vaults


def test_a_reference_into_a_vault_is_kept_and_nobody_is_asked(write, load):
    write("web.yaml", with_variable(KEY_VAULT))

    loaded = load()

    assert loaded.findings == ()
    (secret,) = loaded.groups[0].secrets
    assert (secret.state, secret.value) == (SecretState.UNRESOLVED, None)
    assert secret.reference == VaultReference(vault="kv-shop", secret="db")
    assert "was not asked" in secret.reason
    assert str(secret.where).startswith("web.yaml:9:")
    assert (secret.encodes, secret.holds_base64) == (False, False)


@pytest.mark.parametrize(("more", "encodes"), [("", False), (", encode: base64", True)])
def test_what_a_volume_needs_is_remembered(write, load, more, encodes):
    write("web.yaml", with_volume(KEY_VAULT.removesuffix("}") + more + "}"))

    (secret,) = load().groups[0].secrets

    assert secret.path == ("properties", "volumes", 0, "secret", "k")
    assert (secret.encodes, secret.holds_base64) == (encodes, True)


def test_an_environment_may_have_a_vault_of_its_own(write, load):
    write(
        "aci-reconcile.yaml",
        PROJECT + "variables: {vault: kv-test}\n"
        "environments: {prod: {variables: {vault: kv-prod}}, test: {}}\n",
    )
    write("web.yaml", with_variable('{fromKeyVault: {vault: "${var:vault}", secret: db}}'))

    vaults = [
        load(environment=name).groups[0].secrets[0].reference.vault for name in ("prod", "test")
    ]

    assert vaults == ["kv-prod", "kv-test"]


@pytest.mark.parametrize(
    "vault",
    [
        "kv-shop",
        "abc",
        "a" * 24,
        "KV1",
        "https://kv-shop.vault.azure.net",
        "https://kv-shop.privatelink.example:8443/",
        "http://localhost:8080",
        "http://127.0.0.1:1/",
        "http://[::1]:8080",
    ],
)
def test_a_vault_is_a_name_or_a_url(write, load, vault):
    write("web.yaml", with_variable(f'{{fromKeyVault: {{vault: "{vault}", secret: db}}}}'))

    assert found(load()) == []


@pytest.mark.parametrize(
    "vault",
    [
        "",
        "kv",
        "a" * 25,
        "1kv",
        "kv-",
        "kv--shop",
        "kv_shop",
        "kv-shop.vault.azure.net",
        "kv-shop\\n",
        "http://kv-shop.vault.azure.net",
        "http://127.0.0.1.example",
        "http://10.0.0.1",
        "https://",
        "https://joe@kv-shop.vault.azure.net",
        "https://kv-shop.vault.azure.net?x=1",
        "https://kv-shop.vault.azure.net/secrets",
        "https://kv-shop.vault.azure.net\\\\@evil.example",
        "ftp://kv-shop",
    ],
)
def test_what_is_no_vault_is_told_at_its_place(write, load, vault):
    write("web.yaml", with_variable(f'{{fromKeyVault: {{vault: "{vault}", secret: db}}}}'))

    assert [line.partition(":")[0] for line in found(load())] == ["M205 web.yaml"]


# The key that secrets are compared with


def opened(tmp_path, environment=None):
    return open_project([tmp_path], cwd=tmp_path, environment=environment)


def test_the_project_says_where_the_key_lies(tmp_path, write):
    write("aci-reconcile.yaml", PROJECT + "secretKey: {fromEnv: SHOP_KEY}\n")

    project, findings = opened(tmp_path)

    assert findings == ()
    assert project.secret_key.variable == "SHOP_KEY"
    assert project.secret_key.reference is None
    assert str(project.secret_key.where) == "aci-reconcile.yaml:3:12"


def test_an_environment_has_a_key_of_its_own(tmp_path, write):
    own = "{fromKeyVault: {vault: kv-prod, secret: key, version: abc}}"
    write(
        "aci-reconcile.yaml",
        PROJECT + "secretKey: {fromEnv: SHOP_KEY}\n"
        f"environments:\n  prod: {{secretKey: {own}}}\n  test: {{}}\n",
    )

    prod, test = (opened(tmp_path, name)[0].secret_key for name in ("prod", "test"))

    assert prod.reference == VaultReference(vault="kv-prod", secret="key", version="abc")
    assert (prod.variable, prod.where.mark.line) == ("", 5)
    assert (test.variable, test.where.mark.line) == ("SHOP_KEY", 3)


def test_without_a_word_there_is_no_key(tmp_path):
    assert opened(tmp_path)[0].secret_key is None


@pytest.mark.parametrize("place", ["secretKey: {}\n", "environments: {prod: {secretKey: {}}}\n"])
@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("hunter2-0123456789", "M203"),
        ("12345678", "M203"),
        ("[hunter2]", "M203"),
        ("{}", "M203"),
        ("{value: hunter2}", "M201"),
        ("{fromFile: key.txt}", "M201"),
        ("{fromEnv: A, fromKeyVault: {vault: kv-shop, secret: hunter2}}", "M203"),
        ('{fromEnv: ""}', "M205"),
        ("{fromKeyVault: {vault: hunter2_, secret: s}}", "M205"),
        ("{fromKeyVault: {vault: kv-shop}}", "M202"),
    ],
)
def test_a_key_that_is_written_down_is_refused_and_not_shown(tmp_path, write, place, value, rule):
    write("aci-reconcile.yaml", PROJECT + place.replace("secretKey: {}", f"secretKey: {value}"))

    project, findings = opened(tmp_path)

    assert project is None
    assert rule in {finding.rule for finding in findings}
    assert "secretKey" in findings[0].path
    shown = " ".join(map(str, findings))
    assert "hunter2" not in shown
    assert "12345678" not in shown


# Files


@pytest.fixture
def elsewhere(tmp_path_factory):
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "db.txt").write_text("from elsewhere")
    return folder


@pytest.fixture
def value(write, load):
    """The one secret's value, or the rule that its reference breaks."""

    def read(file, *folders):
        write("web.yaml", with_variable(f"{{fromFile: {file}}}"))
        loaded = load(secrets_dirs=folders)
        return found(loaded)[0][:4] if loaded.findings else loaded.groups[0].secrets[0].value

    return read


def test_an_absolute_path_leads_into_a_folder_that_was_named(value, elsewhere):
    assert value(elsewhere / "db.txt") == "M404"
    assert value(elsewhere / "db.txt", elsewhere) == "from elsewhere"


def test_a_relative_path_is_looked_up_in_the_project_first(write, value, elsewhere):
    assert value("db.txt", elsewhere) == "from elsewhere"

    write("db.txt", "from the project")

    assert value("db.txt", elsewhere) == "from the project"


def test_folders_are_looked_into_in_their_order(tmp_path_factory, value, elsewhere):
    second = tmp_path_factory.mktemp("second")
    (second / "db.txt").write_text("from the second")
    (second / "only.txt").write_text("only there")

    assert value("db.txt", elsewhere, second) == "from elsewhere"
    assert value("db.txt", second, elsewhere) == "from the second"
    assert value("only.txt", elsewhere, second) == "only there"


def test_links_are_followed_before_it_is_checked_where_they_lead(
    tmp_path, tmp_path_factory, value, elsewhere
):
    outside = tmp_path_factory.mktemp("outside") / "x.txt"
    outside.write_text("outside")
    (elsewhere / "out.txt").symlink_to(outside)
    (tmp_path / "in.txt").symlink_to(elsewhere / "db.txt")
    link = outside.parent / "dir"
    link.symlink_to(elsewhere)

    assert value("out.txt", elsewhere) == "M404"
    assert value(elsewhere / "out.txt", elsewhere) == "M404"
    assert value("in.txt") == "M404"
    assert value("in.txt", elsewhere) == "from elsewhere"
    assert value("db.txt", link) == "from elsewhere"
    assert value(link / "db.txt", elsewhere) == "from elsewhere"


def test_a_folder_lets_nothing_out_of_itself(value, elsewhere):
    (elsewhere.parent / "beside.txt").write_text("beside")
    (elsewhere.parent / f"{elsewhere.name}-more").mkdir()
    (elsewhere.parent / f"{elsewhere.name}-more" / "x.txt").write_text("alike")

    assert value("../beside.txt", elsewhere) == "M404"
    assert value(elsewhere / ".." / "beside.txt", elsewhere) == "M404"
    assert value(elsewhere.parent / f"{elsewhere.name}-more" / "x.txt", elsewhere) == "M404"


def test_a_file_that_is_nowhere_is_a_warning(value, elsewhere):
    assert value("nowhere.txt", elsewhere) == "M402"
    assert value(elsewhere / "nowhere.txt", elsewhere) == "M402"


def test_a_folder_may_be_named_from_where_one_stands(tmp_path, monkeypatch, value):
    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted" / "db.txt").write_text("mounted")
    monkeypatch.chdir(tmp_path)

    assert value("db.txt", Path("mounted")) == "mounted"


def test_an_empty_file_is_a_reference_that_leads_nowhere(tmp_path):
    (tmp_path / "empty").touch()

    found = followed({"fromFile": "empty"}, Surroundings(root=tmp_path, environ={}))

    assert (found.value, "empty: 'empty'" in found.reason) == (None, True)

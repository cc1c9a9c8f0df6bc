"""Whatever a file holds, it is answered in bearable time, with one clear sentence."""

from __future__ import annotations

import json
import time

import pytest
import yaml

from reconciler.manifest.source import parse
from reconciler.manifest.variables import expanded
from tests.conftest import typed

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
BEARABLE_S = 10


def template(properties, **more):
    """A template of one group."""
    resource = {
        "type": "Microsoft.ContainerInstance/containerGroups",
        "apiVersion": "2023-05-01",
        "name": "web",
        "location": "westeurope",
        "properties": {"osType": "Linux", **properties},
    }
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [resource], **more}


def container(**properties):
    resources = {"requests": {"cpu": 1, "memoryInGB": 1}}
    return {"name": "app", "properties": {"image": "i:1", "resources": resources, **properties}}


@pytest.fixture
def convert(tmp_path):
    """Convert a text, bytes or a value, in bearable time."""

    def _convert(content, *options, name="input.json"):
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        raw = content if isinstance(content, bytes) else content.encode("utf-8")
        (tmp_path / name).write_bytes(raw)
        started = time.monotonic()
        done = typed("convert", name, *options, cwd=tmp_path)
        assert time.monotonic() - started < BEARABLE_S
        assert "internal error" not in done.err
        return done

    return _convert


def with_variables(variables, expression):
    env = [{"name": "V", "value": expression}]
    return template({"containers": [container(environmentVariables=env)]}, variables=variables)


def test_variables_that_lead_to_each_other_are_told(convert):
    done = convert(
        with_variables({"a": "[variables('b')]", "b": "[variables('a')]"}, "[variables('a')]")
    )

    assert done.code == 2
    assert "leads back to itself" in done.err
    assert "value: ${var:V}" in done.out


def test_a_long_chain_of_variables_is_told(convert):
    chain = {f"v{i}": f"[variables('v{i + 1}')]" for i in range(3000)} | {"v3000": "end"}

    done = convert(with_variables(chain, "[variables('v0')]"))

    assert done.code == 2
    assert "is reached through more than 40 others" in done.err


@pytest.mark.parametrize(
    "doubled",
    [
        "[concat(variables('v{0}'), variables('v{0}'))]",
        "[createArray(variables('v{0}'), variables('v{0}'))]",
        ["[variables('v{0}')]", "[variables('v{0}')]"],
        {"a": "[variables('v{0}')]", "b": "[variables('v{0}')]"},
    ],
    ids=str,
)
def test_what_doubles_again_and_again_is_bounded(convert, doubled):
    text = json.dumps(doubled)
    bomb = {f"v{i + 1}": json.loads(text.replace("{0}", str(i))) for i in range(35)}

    done = convert(with_variables({"v0": "xxxxxxxx", **bomb}, "[string(variables('v35'))]"))

    assert done.code == 2
    assert "more than" in done.err


def test_deep_nesting_is_refused_with_its_place(convert):
    assert "levels of nesting" in convert("[" * 100_000).err
    assert "levels of nesting" in convert('{"a":' * 100_000).err
    assert "levels of nesting" in convert("- " * 100_000, name="input.yaml").err


def test_a_deep_expression_is_told(convert):
    done = convert(with_variables({}, "[" + "string(" * 500 + "1" + ")" * 500 + "]"))

    assert done.code == 2
    assert "levels of nesting" in done.err


def test_copies_beyond_what_a_deployment_takes_are_told(convert):
    copied = template({"containers": [container()]})
    copied["resources"][0]["copy"] = {"name": "many", "count": 1_000_000}

    done = convert(copied)

    assert done.code == 3
    assert "from 0 to 800" in done.err


def test_copies_in_copies_are_bounded(convert):
    copied = template(
        {"copy": [{"name": "containers", "count": 800, "input": "[length(range(0, 9999))]"}]}
    )
    copied["resources"][0] |= {
        "name": "[concat('g', copyIndex())]",
        "copy": {"name": "c", "count": 800},
    }

    done = convert(copied)

    assert done.code in (2, 3)
    assert "more than can be evaluated: the rest of it is missing" in done.err


@pytest.mark.parametrize(
    "value",
    [
        "[padLeft('x', 1000000000)]",
        "[range(0, 1000000000)]",
        "[substring('abc', 2, 5)]",
        "[mul(9223372036854775807, 2)]",
        "[div(1, 0)]",
        "[json('1e999')]",
        "[json('{')]",
        "[first(createArray())]",
        "[split('a', '')]",
        "[nobody('knows')]",
        "[concat(]",
        "[parameters('none')]",
        "[string(true())]",
        "[format('{0:N2}', 1)]",
        "[int('twelve')]",
        "[createObject('a')]",
        "[variables('a')[7]]",
        "[copyIndex()]",
    ],
)  # fmt: skip
def test_an_expression_without_a_value_is_a_gap_with_its_text(convert, value):
    done = convert(with_variables({"a": [1]}, value))

    assert done.code == 2
    assert f"containers[0].environmentVariables[0].value: {value[:100]}" in done.err
    assert "value: ${var:V}" in done.out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "an empty file"),
        ("{", "1:2: expected a key in double quotes, got the end of the file"),
        ('{"a" 1}', "1:6: expected ':' after a key, got a word"),
        ('{"a": 1,\n "a": 2}', "2:2: expected each key once, got 'a' again"),
        ('{"a": "hunter2', "got a text that does not end"),
        ('{"a": tru}', "1:7: expected a value in JSON, got a word"),
        ('{"a": "\\ud800"}', "expected a value in JSON"),
        ('{"a": 1} x', "expected the end of the file"),
        ("[1, 2]", "known are"),
        ("just text", "expected a mapping"),
        ("a: [b", "expected YAML"),
        ("name: x\nname: y\n", "expected each key once"),
        ('{"kind": "Pod", "apiVersion": "v1"}', "a Kubernetes manifest"),
        ("services: {web: {image: nginx}}", "a Compose file"),
        ('{"type": "Microsoft.Storage/storageAccounts", "name": "x"}', "Microsoft.Storage"),
        ('{"$schema": "https://x/deploymentParameters.json#", "parameters": {}}', "--parameters"),
        ("param name string\n", "az bicep build"),
        (b"\x80\x81\x82", "expected UTF-8 or UTF-16, got other bytes"),
        ('{"$schema": "deploymentTemplate.json", "resources": []}', "got none"),
        ('{"value": []}', "got none"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_known_form_is_named_in_one_sentence(convert, content, says):
    done = convert(content)

    assert done.code == 3
    assert done.out == ""
    assert says in done.err
    assert "hunter2" not in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_what_powershell_writes_is_read(convert, encoding):
    text = json.dumps(
        template({"containers": [container(command=["żółw", "🐢"])]}), ensure_ascii=False
    )

    done = convert(text.replace("\n", "\r\n").encode(encoding))

    assert done.code == 0
    assert "żółw" in done.out
    assert "🐢" in yaml.safe_load(done.out)["properties"]["containers"][0]["properties"]["command"]


def test_texts_of_any_kind_survive(convert):
    texts = [
        "a: b",
        "# x",
        "\t",
        "\u0000",
        "'",
        '"',
        "${var:x}",
        "$${var:x}",
        "yes",
        "1.0",
        "\x85",
        "- a\n- b",
        "\ue000",
    ]
    body = {"name": "web", "id": "/x", "location": "westeurope"}
    body["properties"] = {"osType": "Linux", "containers": [container(command=texts)]}

    done = convert(body)

    assert done.code == 0
    (document,), _ = parse("x", done.out.encode())
    read = document.data["properties"]["containers"][0]["properties"]["command"]
    assert [expanded(text, {}) for text in read] == texts


def test_a_parameter_that_nobody_gave_keeps_its_name_wherever_it_stands(convert):
    names = ["osType", "restartPolicy", "sku", "imageName", "webLocation", "subnetId"]
    group = template(
        {
            "osType": "[parameters('osType')]",
            "restartPolicy": "[parameters('restartPolicy')]",
            "sku": "[parameters('sku')]",
            "subnetIds": [{"id": "[parameters('subnetId')]"}],
            "containers": [container(image="[parameters('imageName')]")],
        },
        parameters={name: {"type": "string"} for name in names},
    )
    group["resources"][0]["location"] = "[parameters('webLocation')]"

    done = convert(group)

    assert done.code == 2
    for name in names:
        assert f"${{var:{name}}}" in done.out
        assert f"convert with -p {name}=VALUE" in done.err


def test_a_whole_list_that_nobody_knows_fails_to_validate(convert, tmp_path):
    group = template(
        {"containers": "[parameters('containers')]"}, parameters={"containers": {"type": "array"}}
    )

    done = convert(group)
    (tmp_path / "web.yaml").write_text(done.out)

    assert "parameter 'containers' has no value; convert with -p containers=VALUE" in done.err
    assert typed("validate", "web.yaml", cwd=tmp_path).code == 3


def test_a_key_that_nobody_knows_is_told(convert):
    group = template({"containers": [container()]})
    group["resources"][0]["tags"] = {"[uniqueString('x')]": "v", "kept": "v"}

    done = convert(group)

    assert done.code == 2
    assert "this key is not known" in done.err


def test_values_of_the_wrong_type_are_told_before_anything_is_written(convert):
    group = template({"containers": [container()]}, parameters={"n": {"type": "int"}})

    assert convert(group, "-p", "n=many").err == (
        "aci-reconcile: error: -p n: expected a value of type int, got another\n"
    )
    assert convert(group, "-p", "n").code == 64
    assert convert("name: x\nproperties: {}\n", "-p", "n=1").code == 64

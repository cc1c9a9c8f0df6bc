"""Template expressions, each with the value the reference of template functions gives it."""

from __future__ import annotations

import pytest

from reconciler.convert.expressions import text_value
from reconciler.convert.gaps import Open, Unresolved
from reconciler.convert.parameters import environment_name, scope_of
from reconciler.convert.scope import Place, Steps

TEMPLATE = {
    "parameters": {
        "name": {"type": "string", "defaultValue": "Shop"},
        "ports": {"type": "array", "defaultValue": [80, 443]},
        "settings": {
            "type": "object",
            "defaultValue": {"Region": {"code": "weu"}, "list": ["a", "b"]},
        },
        "given": {"type": "int", "defaultValue": 1},
        "open": {"type": "string"},
        "secret": {"type": "securestring", "defaultValue": "hunter2"},
    },
    "variables": {"full": "[concat(parameters('name'), '-', variables('suffix'))]", "suffix": "x"},
}
PLACE = Place(subscription="sub", resource_group="rg", location="westeurope")
RG = "/subscriptions/sub/resourceGroups/rg"


def value(text, place=PLACE):
    return text_value(text, scope_of(TEMPLATE, {"GIVEN": 7}, place, Steps()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("[[escaped]", "[escaped]"),
        ("[unclosed", "[unclosed"),
        ("['it''s']", "it's"),
        ("[ parameters ( 'NAME' ) ]", "Shop"),
        ("[parameters('given')]", 7),
        ("[variables('full')]", "Shop-x"),
        ("[parameters('settings').region.code]", "weu"),
        ("[parameters('settings')['list'][1]]", "b"),
        ("[parameters('settings').?none]", None),
        ("[parameters('settings').?none.?more]", None),
        ("[tryGet(parameters('settings'), 'none', 'more')]", None),
        ("[coalesce(null(), parameters('settings').?none, 'last')]", "last"),
        ("[concat('a', 1, 'b')]", "a1b"),
        ("[concat(parameters('ports'), createArray(8080))]", [80, 443, 8080]),
        ("[format('{0}-{1}-{{x}}-{0}', 'a', 2)]", "a-2-{x}-a"),
        ("[toLower(parameters('name'))]", "shop"),
        ("[toUpper('a')]", "A"),
        ("[replace('a-b-c', '-', '')]", "abc"),
        ("[split('a,b;c', createArray(',', ';'))]", ["a", "b", "c"]),
        ("[join(parameters('ports'), '+')]", "80+443"),
        ("[string(parameters('settings').list)]", '["a","b"]'),
        ("[string(5)]", "5"),
        ("[int('12')]", 12),
        ("[bool('TRUE')]", True),
        ("[bool(0)]", False),
        ("[json('1.5')]", 1.5),
        ("[json('{\"a\": [1]}').a[0]]", 1),
        ("[if(equals(parameters('name'), 'Shop'), 'yes', uniqueString('x'))]", "yes"),
        ("[if(equals('a', 'A'), 1, 2)]", 2),
        ("[and(true(), not(false()))]", True),
        ("[or(false(), equals(1, 1), reference('x'))]", True),
        ("[equals(createObject('a', 1), json('{\"a\": 1}'))]", True),
        ("[equals(1, true())]", False),
        ("[contains('abc', 'B')]", False),
        ("[contains(parameters('settings'), 'REGION')]", True),
        ("[contains(parameters('ports'), 80)]", True),
        ("[startsWith('abc', 'AB')]", True),
        ("[indexOf('abc', 'C')]", 2),
        ("[empty('')]", True),
        ("[empty(createArray(1))]", False),
        ("[length(parameters('settings'))]", 2),
        ("[length('abc')]", 3),
        ("[first('abc')]", "a"),
        ("[last(parameters('ports'))]", 443),
        ("[take('abc', 2)]", "ab"),
        ("[skip(parameters('ports'), 1)]", [443]),
        ("[substring('abc', 1)]", "bc"),
        ("[padLeft(7, 3, '0')]", "007"),
        ("[trim(' a ')]", "a"),
        ("[range(3, 2)]", [3, 4]),
        ("[min(3, 2)]", 2),
        ("[max(parameters('ports'))]", 443),
        ("[div(-7, 2)]", -3),
        ("[mod(-7, 2)]", -1),
        ("[add(sub(5, 2), mul(2, 3))]", 9),
        ("[greaterOrEquals(2, 2)]", True),
        ("[union(createArray(1, 2), createArray(2, 3))]", [1, 2, 3]),
        ("[intersection(createArray(1, 2), createArray(2, 3))]", [2]),
        (
            "[union(json('{\"a\": {\"x\": 1}}'), json('{\"a\": {\"y\": 2}, \"b\": [1]}'))]",
            {"a": {"x": 1, "y": 2}, "b": [1]},
        ),
        ("[items(json('{\"b\": 1, \"a\": 2}'))[0].key]", "a"),
        ("[flatten(createArray(createArray(1), createArray(2)))]", [1, 2]),
        ("[base64('secret?')]", "c2VjcmV0Pw=="),
        ("[base64ToString('YQ==')]", "a"),
        ("[uriComponent('a b/c')]", "a%20b%2Fc"),
        ("[resourceGroup().location]", "westeurope"),
        ("[resourceGroup().id]", RG),
        ("[subscription().subscriptionId]", "sub"),
        ("[resourceId('A.B/cs', 'd')]", f"{RG}/providers/A.B/cs/d"),
        ("[resourceId('other', 'A.B/cs/es', 'd', 'f')]", "/subscriptions/sub/resourceGroups/other/providers/A.B/cs/d/es/f"),
        ("[subscriptionResourceId('A.B/cs', 'd')]", "/subscriptions/sub/providers/A.B/cs/d"),
        ("[extensionResourceId(resourceGroup().id, 'A.B/cs', 'd')]", f"{RG}/providers/A.B/cs/d"),
    ],
    ids=lambda one: str(one)[:60],
)  # fmt: skip
def test_an_expression_has_its_documented_value(text, expected):
    found = value(text)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[uniqueString(resourceGroup().id)]", "known only to a deployment"),
        ("[reference('x').y]", "known only to a deployment"),
        ("[listKeys('x', '1').keys[0].value]", "asks a resource for its keys"),
        ("[utcNow()]", "another at each deployment"),
        ("[string(true())]", "does not take such arguments"),
        ("[concat('a', true())]", "does not take such arguments"),
        ("[format('{0:D3}', 1)]", "is not evaluated here"),
        ("[less('a', 'b')]", "does not take such arguments"),
        ("[map(createArray(1), lambda('x', 1))]", "is not evaluated here"),
        ("[toLower(parameters('open'))]", "does not take such arguments"),
        ("[equals(parameters('open'), 'a')]", "a parameter in it has no value"),
        ("[if(parameters('name'), 1, 2)]", "its condition is no boolean"),
        ("[concat('a' 'b')]", "it cannot be read"),
        ("['a' + 'b']", "it cannot be read"),
    ],
)
def test_an_expression_that_nobody_can_evaluate_says_why(text, reason):
    found = value(text)

    assert isinstance(found, Unresolved)
    assert reason in found.reason
    assert not found.is_secret


def test_where_a_template_goes_to_is_not_guessed():
    found = value("[toLower(resourceGroup().location)]", Place())

    assert isinstance(found, Unresolved)
    assert found.hint == "convert with --location REGION"


def test_a_parameter_without_a_value_stays_open_inside_a_text():
    assert isinstance(value("[concat('a', parameters('open'))]"), Open)
    assert isinstance(value("[format('{0}!', parameters('open'))]"), Open)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("[parameters('secret')]", {"fromEnv": "SECRET"}),
        ("[base64(parameters('secret'))]", {"fromEnv": "SECRET", "encode": "base64"}),
        ("[concat('a', parameters('secret'))]", None),
        ("[toLower(parameters('secret'))]", None),
        ("[first(parameters('secret'))]", None),
        ("[string(createArray(parameters('secret')))]", None),
    ],
)
def test_a_secret_stays_one_whatever_is_made_of_it(text, reference):
    found = value(text)

    assert isinstance(found, Unresolved)
    assert found.is_secret or text.startswith("[string")
    assert found.reference == reference
    assert "hunter2" not in repr(found)


def test_a_secure_parameter_is_named_as_a_variable_of_the_environment():
    assert environment_name("dbPassword") == "DB_PASSWORD"
    assert environment_name("storage-key2") == "STORAGE_KEY2"
    assert environment_name("ACRToken") == "ACRTOKEN"

"""The parts of the schemas that are ours, not Azure's: `reconcile:`, secrets, the project file."""
# ruff: noqa: INP001  # imported by the script beside it alone

from __future__ import annotations

from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Schema: TypeAlias = "dict[str, Json]"

DRAFT = "https://json-schema.org/draft/2020-12/schema"
OWNER = r"^[A-Za-z0-9._-]{1,60}$"
RESOURCE_GROUP = r"^(?=.{1,90}$)[-\w._()]*[-\w_()]$"
GUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
VAULT = (
    r"^((?!.*--)[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]"
    r"|https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?"
    r"|http://(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?/?)$"
)
ACCOUNT = r"^[a-z0-9]{3,24}$"
WORKSPACE = r"^[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]$"
DURATION = r"^(?=.)([0-9]{1,4}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?$"


def text(description: str, *, pattern: str = "", says: str = "", default: str = "") -> Schema:
    """A string; `says` is what editors and findings call a value that fits `pattern`."""
    schema: Schema = {"type": "string", "description": description}
    if pattern:
        schema |= {"pattern": pattern, "patternErrorMessage": f"expected {says}"}
    if default:
        schema["default"] = default
    return schema


def choice(description: str, *values: str, default: str = "") -> Schema:
    """One of `values`."""
    schema: Schema = {"enum": list(values), "description": description}
    if default:
        schema["default"] = default
    return schema


def mapping(description: str, **members: Schema) -> Schema:
    """An object with exactly these members."""
    properties: Json = dict(members)
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": False,
    }


def strings(description: str) -> Schema:
    """A map of strings."""
    return {
        "type": "object",
        "description": description,
        "additionalProperties": {"type": "string"},
    }


def resource_group_name(description: str) -> Schema:
    """A resource group's name by ARM's grammar (azure-facts F.3)."""
    says = "1 to 90 letters, digits, '-', '_', '.', '(' or ')', not ending in '.'"
    return text(description, pattern=RESOURCE_GROUP, says=says)


def secret() -> Schema:
    """A write-only value: written down, referred to, or said to be unknown."""
    return {
        "type": ["string", "object"],
        "title": "secret",
        "description": "A value Azure never shows again: a reference ({fromEnv: NAME}, "
        "{fromFile: path}, {fromKeyVault: {vault, secret}}, {fromStorageAccount: {name, "
        "resourceGroup}} or {fromWorkspace: {name, resourceGroup}}), {unknown: true} for one that "
        "nobody has (not compared, and no write until it is filled in), or the value itself "
        "(earns a warning). In a secret volume the value that is sent has to be base64: it is "
        "sent as it is, unless 'encode: base64' stands beside the reference.",
        "properties": {
            "fromEnv": _from_env(),
            "fromFile": {
                "type": "string",
                "minLength": 1,
                "description": "The file that holds the value, inside the project's folder or "
                "one that --secrets-dir names; a relative path is looked up in the project "
                "first. Read as it is, a final line break included.",
            },
            "fromKeyVault": _from_key_vault(),
            "fromStorageAccount": _from_storage_account(),
            "fromWorkspace": _from_workspace(),
            "unknown": {"const": True, "description": "Nobody has said the value."},
            "encode": {
                "const": "base64",
                "description": "Send the value in base64, as secret volumes need it.",
            },
        },
        "additionalProperties": False,
        "if": {"type": "object"},
        "then": {
            "oneOf": [
                {"required": ["fromEnv"]},
                {"required": ["fromFile"]},
                {"required": ["fromKeyVault"]},
                {"required": ["fromStorageAccount"]},
                {"required": ["fromWorkspace"]},
                {"required": ["unknown"]},
            ],
            "$comment": "exactly one of 'fromEnv', 'fromFile', 'fromKeyVault', "
            "'fromStorageAccount', 'fromWorkspace' and 'unknown'",
        },
    }


def _from_env() -> Schema:
    return {
        "type": "string",
        "minLength": 1,
        "description": "The environment variable that holds the value.",
    }


def _from_key_vault() -> Schema:
    vault = text(
        "The vault: its name, or its whole URL.",
        pattern=VAULT,
        says="a vault's name (3 to 24 letters, digits and '-', starting with a letter) or its URL "
        "(https, or plain http to this machine)",
    )
    name = text(
        "The secret's name in the vault.",
        pattern="^[A-Za-z0-9-]{1,127}$",
        says="a secret's name (1 to 127 letters, digits and '-')",
    )
    version = text(
        "One version of it; default: the latest.",
        pattern="^[A-Za-z0-9]{1,64}$",
        says="a secret's version (letters and digits)",
    )
    return {
        **mapping(
            "The secret in an Azure Key Vault that holds the value; read with the credential of "
            "the run when Azure is compared.",
            vault=vault,
            secret=name,
            version=version,
        ),
        "required": ["vault", "secret"],
    }


def _from_storage_account() -> Schema:
    name = text(
        "The storage account.",
        pattern=ACCOUNT,
        says="a storage account's name (3 to 24 lower case letters and digits)",
    )
    shape = choice(
        "What is made of it: the key alone, or a connection string with it.",
        "key",
        "connectionString",
        default="key",
    )
    key = choice("Which of its two keys.", "key1", "key2", default="key1")
    return _held(
        "The access key of a storage account, asked of Azure Resource Manager with the credential "
        "of the run when Azure is compared.",
        name=name,
        key=key,
        **{"as": shape},
    )


def _from_workspace() -> Schema:
    name = text(
        "The workspace: its name, not its id.",
        pattern=WORKSPACE,
        says="a workspace's name (4 to 63 letters, digits and '-', neither first nor last '-')",
    )
    key = choice("Which of its two keys.", "primary", "secondary", default="primary")
    return _held(
        "The shared key of a Log Analytics workspace, asked of Azure Resource Manager with the "
        "credential of the run when Azure is compared.",
        name=name,
        key=key,
    )


def _held(description: str, *, name: Schema, **more: Schema) -> Schema:
    """A reference to a key that a resource keeps."""
    subscription = text(
        "Its subscription; default: the group's own.",
        pattern=GUID,
        says="a subscription id (a GUID)",
    )
    home = resource_group_name("The resource group that it lies in.")
    return {
        **mapping(description, name=name, resourceGroup=home, subscription=subscription, **more),
        "required": ["name", "resourceGroup"],
    }


def secret_key() -> Schema:
    """The key that secrets are compared with: a reference, never the key itself."""
    return {
        **mapping(
            "Where the key lies that rotated secrets are seen with (16 characters or more); the "
            "environment variable ACI_RECONCILE_SECRET_KEY wins. The key itself does not belong "
            "into a file.",
            fromEnv=_from_env(),
            fromKeyVault=_from_key_vault(),
        ),
        "oneOf": [{"required": ["fromEnv"]}, {"required": ["fromKeyVault"]}],
        "$comment": "exactly one of 'fromEnv' and 'fromKeyVault'",
    }


def reconcile() -> Schema:
    """The block that is never sent to Azure."""
    wait = mapping(
        "When an action on the group counts as healthy.",
        **{
            "for": choice(
                "provisioned: Azure has deployed it; running: every container runs; started: "
                "every container runs or has ended with 0 (the default for restart policies "
                "OnFailure and Never); succeeded: every container has ended with 0. The default "
                "for restart policy Always is running.",
                "provisioned",
                "running",
                "started",
                "succeeded",
            ),
            "timeout": text(
                "How long to wait.", pattern=DURATION, says=_DURATION_SAYS, default="10m"
            ),
            "stableFor": text(
                "How long no container may restart.", pattern=DURATION, says=_DURATION_SAYS
            ),
        },
    )
    depends: Schema = {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "description": "Groups that come first: name, or resourceGroup/name.",
    }
    ignore: Schema = {
        "type": "array",
        "items": text("A JSON pointer.", pattern="^/", says="a JSON pointer that starts with '/'"),
        "description": "Properties to leave as they are in Azure, as JSON pointers with list "
        "elements by name, e.g. "
        "/properties/containers/web/properties/environmentVariables/FEATURE_FLAGS.",
    }
    return mapping(
        "How aci-reconcile treats this group; never sent to Azure.",
        resourceGroup=resource_group_name("Its resource group; default: the project file's."),
        protect={"type": "boolean", "description": "Never delete or replace this group."},
        replace=choice(
            "What to do when a change cannot be made in place.",
            "forbid",
            "allow",
            default="forbid",
        ),
        onReplaceFailure=_on_replace_failure(),
        adopt=_adopt(),
        images=_images(),
        dependsOn=depends,
        ignore=ignore,
        wait=wait,
    )


_DURATION_SAYS = "a duration such as 90s, 10m or 1h30m"


def _adopt() -> Schema:
    return choice(
        "What to do with a live group of the same name that has no owner.",
        "never",
        "identical",
        "always",
        default="identical",
    )


def project() -> Schema:
    """The whole schema of aci-reconcile.yaml."""
    says = "1 to 60 letters, digits, '-', '_' or '.'"
    environment = mapping("Overrides of one environment.", **_overrides(), **_environment_only())
    return {
        "$schema": DRAFT,
        "title": "aci-reconcile project file",
        "type": "object",
        "description": "Marks the root of a GitOps repository for aci-reconcile.",
        "properties": {
            "owner": text(
                "Who owns the groups: written to the tag aci-reconcile-owner, alone or followed "
                "by '/' and the environment.",
                pattern=OWNER,
                says=says,
            ),
            "manifests": _manifests(),
            "defaults": mapping("What manifests need not repeat.", **_defaults()),
            "variables": strings("Values for ${var:NAME} in strings of manifests."),
            "policy": _policy(),
            "secretKey": secret_key(),
            "lint": _lint(),
            "environments": {
                "type": "object",
                "description": "Environments by name; -e picks one.",
                "propertyNames": {"pattern": OWNER, "patternErrorMessage": f"expected {says}"},
                "additionalProperties": environment,
            },
        },
        "required": ["owner"],
        "additionalProperties": False,
    }


def _lint() -> Schema:
    def rules(description: str) -> Schema:
        return {
            "type": "array",
            "items": {"type": "string"},
            "description": f"{description} By id, such as M801; 'aci-reconcile explain M801' "
            "tells what it asks for.",
        }

    return mapping(
        "How much the findings of a rule weigh. What cannot be read without is always an error.",
        error=rules("Rules whose findings are errors."),
        warn=rules("Rules whose findings are warnings, those that are off included."),
        ignore=rules("Rules that are not heard."),
    )


def _defaults() -> dict[str, Schema]:
    clouds = ("AzureCloud", "AzureUSGovernment", "AzureChinaCloud")
    return {
        "cloud": choice("Which Azure.", *clouds, default="AzureCloud"),
        "subscription": text(
            "The subscription's id.", pattern=GUID, says="a subscription id (a GUID)"
        ),
        "tenant": text(
            "The id of the tenant that the subscription has to belong to. Where it is stated, "
            "Azure is asked for it before anything else; a run in another tenant is refused.",
            pattern=GUID,
            says="a tenant id (a GUID)",
        ),
        "resourceGroup": resource_group_name("The resource group of groups that name none."),
        "location": {
            "type": "string",
            "minLength": 1,
            "description": "The region of what names none.",
        },
        "tags": strings("Tags of every group; a manifest's own tags win."),
    }


def _overrides() -> dict[str, Schema]:
    return {
        **_defaults(),
        "variables": strings("Variables that win over the project's."),
        "policy": _policy(),
        "manifests": _manifests(),
        "secretKey": secret_key(),
    }


def _environment_only() -> dict[str, Schema]:
    return {
        "protect": {
            "type": "boolean",
            "default": False,
            "description": "Never delete or replace a group of this environment.",
        },
        "patches": _patches(),
    }


def _manifests() -> Schema:
    return {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "minItems": 1,
        "description": "Patterns of manifest files relative to this file; default: every *.yaml "
        "and *.yml below it, outside hidden folders.",
    }


def _patches() -> Schema:
    return {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "minItems": 1,
        "description": "Patterns of patch files relative to this file, applied in this order; a "
        "patch file is never a manifest. A patch is part of a manifest: its name, and "
        "reconcile.resourceGroup where several groups have it, say which group it changes. "
        "Mappings are merged; so are lists whose elements have a name of their own (containers, "
        "initContainers, environmentVariables and volumes by name, volumeMounts by mountPath, "
        "ports by port and protocol, imageRegistryCredentials by server); any other value takes "
        "the place of the one that was there. null removes a member. '$patch: delete' in an "
        "element or mapping removes it, '$patch: replace' puts it in the place of the one that "
        "was there, '$patch: add' in an element adds it; an element '$patch: replace' alone "
        "replaces the whole list. '$patch: delete' beside the name takes the group out of the "
        "environment. "
        "What a patch alters or removes has to be there, and what it adds has not.",
    }


def _on_replace_failure() -> Schema:
    return choice(
        "What to do about a group that was deleted and could not be created again as it should "
        "be: leave it and report, or create it again from the manifest at the applied commit. "
        "Where that cannot be had, the replace is refused.",
        "report",
        "restore",
        default="report",
    )


def _images() -> Schema:
    return choice(
        "What is sent to Azure for an image: its tag as written, or the digest that the tag points "
        "at when the plan is made, so that a moved tag is a change like any other.",
        "tag",
        "digest",
        default="tag",
    )


def _share(what: str) -> Schema:
    return {
        "type": "integer",
        "minimum": 0,
        "maximum": 100,
        "description": f"How many of a hundred owned groups a run may {what}, from two on; "
        "default: all of them.",
    }


def _policy() -> Schema:
    return mapping(
        "What a run may do without being asked again.",
        adopt=_adopt(),
        replace=choice(
            "What to do when a change cannot be made in place.",
            "forbid",
            "allow",
            default="forbid",
        ),
        onReplaceFailure=_on_replace_failure(),
        images=_images(),
        prune=choice(
            "What to do with groups we own that no manifest names.",
            "report",
            "delete",
            default="report",
        ),
        maxDeletes={
            "type": "integer",
            "minimum": 0,
            "default": 1,
            "description": "How many groups a run may delete.",
        },
        maxDeletePercent={
            "type": "integer",
            "minimum": 0,
            "maximum": 100,
            "default": 20,
            "description": "How many of a hundred owned groups a run may delete, from two on.",
        },
        maxReplaces={
            "type": "integer",
            "minimum": 0,
            "default": 0,
            "description": "How many groups a run may delete and create again.",
        },
        maxReplacePercent=_share("delete and create again"),
        maxRestarts={
            "type": "integer",
            "minimum": 0,
            "description": "How many groups that run a run may restart; default: any number.",
        },
        maxRestartPercent=_share("restart"),
        planValidFor=text(
            "How long a plan that was written down may be applied.",
            pattern=DURATION,
            says="a time such as 24h or 30m",
            default="24h",
        ),
    )

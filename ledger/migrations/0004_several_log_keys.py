"""A log may have had several keys: what names a row is the key's id, no longer its role.

A table's primary key is changed by making the table anew: PostgreSQL and SQLite agree on nothing shorter.
"""

from django.db import migrations, models
from django.db.migrations.exceptions import IrreversibleError

COLUMNS = ("role", "kid", "public_key", "sealed_seed", "origin", "operator", "created_ms")


def copy(apps, schema_editor):
    _copy(apps.get_model("ledger", "KeyByRole"), apps.get_model("ledger", "LogKey"))


def copy_back(apps, schema_editor):
    """IrreversibleError, and nothing changed, where the log has had a second key: the old table has no place for it."""
    if apps.get_model("ledger", "LogKey").objects.filter(role="log").count() > 1:
        raise IrreversibleError("this log has replaced its key: software from before cannot go on with it")
    _copy(apps.get_model("ledger", "LogKey"), apps.get_model("ledger", "KeyByRole"))


def _copy(source, target):
    for row in source.objects.values(*COLUMNS):
        target.objects.create(**row)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_head_refusal")]

    operations = [
        migrations.RenameModel("LogKey", "KeyByRole"),
        migrations.CreateModel(
            name="LogKey",
            fields=[
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("log", "Log"),
                            ("root", "Root"),
                            ("registrar", "Registrar"),
                            ("witness", "Witness"),
                        ],
                        max_length=16,
                    ),
                ),
                ("kid", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("public_key", models.BinaryField()),
                ("sealed_seed", models.BinaryField()),
                ("origin", models.CharField(max_length=255)),
                ("operator", models.CharField(max_length=200)),
                ("created_ms", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("role", "log"), _negated=True), fields=("role",), name="key_once"
                    )
                ],
            },
        ),
        migrations.RunPython(copy, copy_back, elidable=False),
        migrations.DeleteModel("KeyByRole"),
    ]

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="CompanySettings",
            fields=[
                (
                    "company",
                    models.CharField(default="company", max_length=100, primary_key=True, serialize=False),
                ),
                (
                    "settings",
                    models.TextField(default="{}", help_text="JSON, as [company] of a settings file"),
                ),
            ],
            options={
                "verbose_name": "e-mail settings of a company",
                "verbose_name_plural": "e-mail settings of companies",
            },
        ),
        migrations.CreateModel(
            name="SealedSecret",
            fields=[
                ("name", models.CharField(max_length=400, primary_key=True, serialize=False)),
                ("version", models.BigIntegerField()),
                ("sealed", models.BinaryField()),
                ("readable", models.TextField()),
                ("held_until", models.FloatField(default=0.0)),
                ("held_by", models.CharField(blank=True, default="", max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="StagedMail",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, db_index=True)),
                ("user", models.CharField(blank=True, max_length=100, verbose_name="written by")),
                ("company", models.CharField(blank=True, max_length=100)),
                ("subject", models.TextField(blank=True)),
                ("recipients", models.JSONField(help_text="to, cc and bcc")),
                ("content", models.BinaryField()),
                ("tries", models.PositiveIntegerField(default=0)),
                ("problem", models.TextField(blank=True, verbose_name="why it was not moved")),
            ],
            options={
                "verbose_name": "staged mail",
                "verbose_name_plural": "staged mail",
                "ordering": ("created_at", "id"),
            },
        ),
        migrations.CreateModel(
            name="SettingsChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("company", models.CharField(max_length=100)),
                ("owner", models.CharField(max_length=110)),
                ("at", models.CharField(max_length=40)),
                ("by", models.CharField(max_length=200)),
                ("what", models.JSONField()),
            ],
            options={
                "ordering": ("id",),
                "indexes": [models.Index(fields=["company", "owner"], name="pillarbox_history")],
            },
        ),
        migrations.CreateModel(
            name="UserSettings",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("user", models.CharField(max_length=100)),
                (
                    "settings",
                    models.TextField(default="{}", help_text="JSON, as [users.NAME] of a settings file"),
                ),
                ("search", models.TextField(default="", editable=False)),
                (
                    "company",
                    models.ForeignKey(
                        default="company",
                        on_delete=django.db.models.deletion.PROTECT,
                        to="pillarbox_django.companysettings",
                    ),
                ),
            ],
            options={
                "verbose_name": "e-mail settings of a user",
                "verbose_name_plural": "e-mail settings of users",
                "ordering": ("user",),
                "constraints": [
                    models.UniqueConstraint(fields=("company", "user"), name="pillarbox_one_user")
                ],
            },
        ),
    ]

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
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
    ]

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('exceptions', '0003_messages_and_answers'),
        ('parties', '0005_key_acts'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='expectedlist',
            index=models.Index(fields=['party', 'stored_ms'], name='expected_list_newest'),
        ),
        migrations.CreateModel(
            name='KeptOverview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('document', models.CharField(max_length=1024)),
                ('as_of', models.BigIntegerField(default=-2)),
                ('facts', models.JSONField(null=True)),
                ('wanted_ms', models.BigIntegerField(null=True)),
                ('party', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='parties.party')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('party', 'document'), name='kept_overview_once')],
                'indexes': [models.Index(condition=models.Q(('wanted_ms__isnull', False)), fields=['wanted_ms'], name='kept_overview_wanted')],
            },
        ),
        migrations.CreateModel(
            name='KeptRows',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.CharField(max_length=10)),
                ('number', models.IntegerField()),
                ('body', models.BinaryField()),
                ('overview', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='exceptions.keptoverview')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('overview', 'part', 'number'), name='kept_rows_once')],
            },
        ),
    ]

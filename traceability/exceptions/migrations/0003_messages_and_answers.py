import django.db.models.deletion
from django.db import migrations, models

_STATES = [
    ('open', 'Open'), ('asked', 'Asked'), ('answered', 'Answered'), ('escalated', 'Escalated'), ('resolved', 'Resolved')
]


class Migration(migrations.Migration):

    dependencies = [
        ('exceptions', '0002_expected_lists'),
        ('exchange', '0004_messages'),
    ]

    operations = [
        migrations.AlterField(
            model_name='exceptionitem',
            name='state',
            field=models.CharField(choices=_STATES, default='open', max_length=9),
        ),
        migrations.AlterField(
            model_name='exceptionstep',
            name='state',
            field=models.CharField(choices=_STATES, max_length=9),
        ),
        migrations.AddField(
            model_name='exceptionstep',
            name='delivery',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='exchange.delivery'),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('parties', '0005_key_acts'),
    ]

    operations = [
        migrations.AlterField(
            model_name='partyidentifier',
            name='scheme',
            field=models.CharField(choices=[('gln', 'Gln'), ('gcp', 'Company Prefix'), ('licence', 'Licence'), ('uscc', 'Uscc')], max_length=16),
        ),
    ]

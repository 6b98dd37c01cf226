from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('exchange', '0003_channels_end'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='message',
            field=models.CharField(blank=True, default='', max_length=40),
            preserve_default=False,
        ),
    ]

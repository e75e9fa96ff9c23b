from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0009_suspensions'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='device',
            index=models.Index(fields=['seen_at'], name='chat_device_seen'),
        ),
    ]

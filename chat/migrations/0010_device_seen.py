from django.db import migrations, models

from chat.migrations._online import AddIndexOnline


class Migration(migrations.Migration):

    # Each sign-in adds a device: the table may be large, and people sign in meanwhile.
    atomic = False

    dependencies = [
        ('chat', '0009_suspensions'),
    ]

    operations = [
        AddIndexOnline(
            model_name='device',
            index=models.Index(fields=['seen_at'], name='chat_device_seen'),
        ),
    ]

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0006_bans'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='membership',
            name='added',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='profile',
            name='deleted_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='profile',
            name='groups_from',
            field=models.CharField(blank=True, choices=[('everyone', 'Everyone'), ('rooms', 'people in the same room'), ('nobody', 'Nobody')], max_length=10, null=True),
        ),
        migrations.AddConstraint(
            model_name='profile',
            constraint=models.CheckConstraint(condition=models.Q(('deleted_at', None), ('user', None), _connector='OR'), name='chat_profile_deleted'),
        ),
        migrations.AddConstraint(
            model_name='profile',
            constraint=models.CheckConstraint(condition=models.Q(('groups_from', None), ('groups_from__in', ['everyone', 'rooms', 'nobody']), _connector='OR'), name='chat_profile_consent'),
        ),
    ]

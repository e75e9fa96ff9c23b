"""Indexes for lists of members and for names by their beginning, built without stopping writes.

Also marks the memberships that somebody else began, as the log of each room tells them. With millions of people
or memberships, run `migrate` with a longer statement timeout than the service has (`DATABASE_STATEMENT_TIMEOUT`).
"""

from django.db import migrations, models
from django.db.models import F, OuterRef, Subquery

from chat.migrations._online import AddIndexOnline

# Memberships marked in one statement.
SLICE = 10_000
# Columns whose `istartswith` filters an index answers, in the form that Django gives them on PostgreSQL.
PREFIXES = {
    'chat_profile_handle_prefix': 'username',
    'chat_profile_name_prefix': 'display_name',
}


def add_prefixes(apps, schema_editor):
    # A build that was interrupted leaves an index that is not valid.
    remove_prefixes(apps, schema_editor)
    if schema_editor.connection.vendor != 'postgresql':
        return
    for name, column in PREFIXES.items():
        schema_editor.execute(
            f'CREATE INDEX CONCURRENTLY "{name}" ON "chat_profile"'
            f' (UPPER("{column}"::text) text_pattern_ops)'
        )


def remove_prefixes(apps, schema_editor):
    if schema_editor.connection.vendor != 'postgresql':
        return
    for name in PREFIXES:
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')


def mark_added(apps, schema_editor):
    """Mark whoever was put into a group by somebody else when they last came in."""
    using = schema_editor.connection.alias
    membership, event = (apps.get_model('chat', name) for name in ('Membership', 'Event'))
    joined = event.objects.using(using).filter(
        room=OuterRef('room'), subject=OuterRef('user'), type='member.joined'
    )
    by = Subquery(joined.order_by('-seq').values('actor')[:1])
    keys = membership.objects.using(using).order_by('pk').values_list('pk', flat=True)
    after = 0
    while some := list(keys.filter(pk__gt=after)[:SLICE]):
        rows = membership.objects.using(using).filter(
            pk__gt=after, pk__lte=some[-1], room__kind='group'
        )
        begun = rows.annotate(by=by).filter(by__isnull=False).exclude(by=F('user'))
        membership.objects.using(using).filter(pk__in=begun.values('pk')).update(added=True)
        after = some[-1]


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('chat', '0007_people'),
    ]

    operations = [
        AddIndexOnline(
            model_name='membership',
            index=models.Index(fields=['room', 'joined_at', 'id'], name='chat_membership_joined'),
        ),
        AddIndexOnline(
            model_name='membership',
            index=models.Index(condition=models.Q(('role', 'member'), _negated=True), fields=['room', 'role'], name='chat_membership_roles'),
        ),
        migrations.RunPython(add_prefixes, remove_prefixes),
        migrations.RunPython(mark_added, migrations.RunPython.noop),
    ]

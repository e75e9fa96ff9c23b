"""An operation of several migrations."""

from django.db import migrations


class AddIndexOnline(migrations.AddIndex):
    """Build an index while others write, where the database can."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            if online(schema_editor):
                # A build that was interrupted leaves an index that is not valid.
                name = schema_editor.quote_name(self.index.name)
                schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {name}')
            schema_editor.add_index(model, self.index, **online(schema_editor))

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            schema_editor.remove_index(model, self.index, **online(schema_editor))


def online(schema_editor):
    return {'concurrently': True} if schema_editor.connection.vendor == 'postgresql' else {}

-- Makes the table in which this transaction's computed features arrive.
-- Grain: as features. Writes: incoming_features (temporary). Rerun: gone at the end of the transaction.
create temporary table pg_temp.incoming_features (
    like derived.features including defaults
) on commit drop;

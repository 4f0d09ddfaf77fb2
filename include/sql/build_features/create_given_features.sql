-- Makes the place where this transaction's computed features arrive.
-- Grain: as features. Reads: -. Writes: given_features (temporary). Binds: -. Money: -.
-- Rerun: gone at the end of the transaction.
create temporary table given_features (
    like derived.features including defaults
) on commit drop;

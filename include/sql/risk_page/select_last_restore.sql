-- Reads when the warehouse was last restored from a backup.
-- Grain: one row; null = never. Reads: restores. Binds: -.
select max(restores.recorded_at) as restored_at
from risk.restores;

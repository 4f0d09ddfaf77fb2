-- Records in a restored warehouse that it was restored, and what it replaced; the link is the trigger's.
-- Grain: one row. Reads: chain_links. Writes: restores. Binds: replaced_sequence (null = unknown).
-- Rerun: records one more restore.
insert into risk.restores (
    head_sequence,
    replaced_sequence
)
select
    coalesce(max(chain_links.sequence), 0),
    %(replaced_sequence)s
from risk.chain_links;

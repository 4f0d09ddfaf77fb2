-- Reads the largest number of a link that a warehouse has, or that one had which it has replaced itself by a restore.
-- Grain: one row; null = it is not known. Reads: chain_links, restores. Binds: -.
select
    case
        when count(*) filter (where replaced.sequence is null) = 0 then max(replaced.sequence)
    end as replaced_sequence
from (
    select coalesce(max(chain_links.sequence), 0) as sequence
    from risk.chain_links
    union all
    select restores.replaced_sequence
    from risk.restores
) as replaced;

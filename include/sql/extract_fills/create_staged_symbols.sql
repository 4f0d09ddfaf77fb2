-- Judges every distinct symbol once.
-- Grain: one row per distinct text. Reads: staged_fills. Writes: staged_symbols. Binds: symbol_pattern. Money: -.
-- Rerun: gone with its transaction.
create unlogged table staging.staged_symbols as
with texts as (
    select
        listed.symbol as text,
        upper(btrim(listed.symbol)) as symbol
    from (select distinct staged_fills.symbol from staged_fills where staged_fills.symbol is not null) as listed
)

select
    texts.text,
    texts.symbol,
    case when texts.symbol !~ concat('^(?:', %(symbol_pattern)s::text, ')$') then 'symbol' end as code
from texts;

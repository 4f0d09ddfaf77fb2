-- Judges every distinct symbol once.
-- Grain: one row per distinct text. Reads: staged_fills. Writes: staged_symbols. Binds: symbol_pattern. Money: -.
-- Rerun: gone with its transaction.
create temporary table staged_symbols on commit drop as
with texts as (
    select distinct
        staged_fills.symbol as text,
        upper(btrim(staged_fills.symbol)) as symbol
    from staged_fills
    where staged_fills.symbol is not null
)

select
    texts.text,
    texts.symbol,
    case when texts.symbol !~ concat('^(?:', %(symbol_pattern)s::text, ')$') then 'symbol' end as code
from texts;

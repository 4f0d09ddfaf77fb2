-- Reads what a run has found past recommendations to be worth.
-- Grain: at most one row. Reads: ledger_results. Writes: -. Binds: run_id. Money: inside the sentences.
-- Rerun: reads only.
select
    ledger_results.verdict,
    ledger_results.sentences
from ledger_results
where ledger_results.run_id = %(run_id)s;

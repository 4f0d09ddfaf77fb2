-- Reads the executions of another Postgres under the vendor's column names; adapt the table to your source.
-- Grain: one row per execution. Reads: executions (in the source). Writes: -. Binds: through_session_date.
-- Money: price in currency; Comm positive = cost. Rerun: reads only.
-- Runs on the connection risk_source. Any column of the CSV shapes may be given; the first six are required.
-- Executions after the session stay in the source until their own run.
select
    to_char(executions.executed_at at time zone %(exchange_zone)s, 'MM/DD/YYYY HH24:MI:SS') as "Date/Time", -- noqa: RF05, LT05
    executions.account as "Account",
    executions.side as "B/S", -- noqa: RF05
    executions.quantity as "Qty",
    executions.symbol as "Symbol",
    executions.price as "Price",
    executions.fees_usd as "Comm",
    executions.execution_id as "Fill Id" -- noqa: RF05
from public.executions
where (executions.executed_at at time zone %(exchange_zone)s)::date <= %(through_session_date)s
order by
    executions.executed_at,
    executions.execution_id;

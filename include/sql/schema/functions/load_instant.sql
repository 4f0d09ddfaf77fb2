create function risk.load_instant()
returns timestamptz
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select
        coalesce(
            (
                select newest.recorded_at
                from (
                    select
                        loads.recorded_at,
                        loads.xmin
                    from risk.loads
                    order by loads.load_id desc
                    limit 1
                ) as newest
                where newest.xmin = pg_current_xact_id()::xid
            ),
            clock_timestamp()
        )
$$;

comment on function risk.load_instant() is
'When a row of a load was recorded: the instant of the load that this transaction has opened, else the clock.';

-- Lists what the manifest says about a file; entries of days without trading are left out.
-- Grain: one row per file, account and session. Reads: sessions. Writes: staged_entries. Money: -.
-- Binds: file_number, account_ids, session_dates, published_ats (arrays of equal length).
-- Rerun: refused by the primary key.
insert into staged_entries (
    file_number,
    account_id,
    session_date,
    published_at
)
select
    %(file_number)s,
    listed.account_id,
    listed.session_date,
    listed.published_at
from
    unnest(%(account_ids)s::text[], %(session_dates)s::date[], %(published_ats)s::timestamptz[])
        as listed (account_id, session_date, published_at)
inner join risk.sessions on listed.session_date = sessions.session_date;

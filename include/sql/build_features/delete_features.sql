-- Removes features that the history up to the session no longer gives, such as those of a withdrawn result.
-- Grain: one row per account and session. Reads: incoming_features. Writes: features. Binds: session_date.
-- Rerun: changes nothing. Rows of later sessions stay.
delete from derived.features
where
    features.session_date <= %(session_date)s
    and not exists (
        select 1
        from pg_temp.incoming_features
        where
            incoming_features.account_id = features.account_id
            and incoming_features.session_date = features.session_date
    );

-- Removes features that the history up to the session no longer gives, such as those of a withdrawn result.
-- Grain: one row per account and session. Reads: given_features. Writes: features. Binds: session_date. Money: -.
-- Rerun: changes nothing. Rows of later sessions stay.
delete from derived.features
where
    features.session_date <= %(session_date)s
    and not exists (
        select 1
        from given_features
        where
            given_features.account_id = features.account_id
            and given_features.session_date = features.session_date
    );

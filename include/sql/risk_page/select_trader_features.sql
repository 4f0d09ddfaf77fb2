-- Compares an account's newest features with its own past: where among its earlier values each one lies.
-- Grain: one row per feature, by its place in risk.model.features.FEATURES. Reads: features. Writes: -. Binds: account_id.
-- Money: -. Rerun: reads only.
with newest as (
    select
        features.session_date,
        features.feature_values
    from derived.features
    where features.account_id = %(account_id)s
    order by features.session_date desc
    limit 1
),

earlier as (
    select
        places.place,
        places.feature_value
    from derived.features
    inner join newest on features.session_date < newest.session_date
    cross join lateral unnest(features.feature_values) with ordinality as places (feature_value, place)
    where
        features.account_id = %(account_id)s
        and places.feature_value is not null
),

norms as (
    select
        earlier.place,
        percentile_cont(array[0.1, 0.5, 0.9]) within group (order by earlier.feature_value asc) as deciles
    from earlier
    group by earlier.place
)

select
    newest.session_date,
    places.place,
    places.feature_value,
    norms.deciles[1] as low_value,
    norms.deciles[2] as usual_value,
    norms.deciles[3] as high_value
from newest
cross join lateral unnest(newest.feature_values) with ordinality as places (feature_value, place)
left join norms on places.place = norms.place
order by places.place asc;

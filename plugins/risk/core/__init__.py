"""What every package uses: settings, errors, calendar, warehouse, runs."""

//! The edge of the second level of tiles: 65,535 to 65,537 entries.

use axiru_in_process::{InProcess, Retries};
use axiru_ledger::growth::grow;

use super::ground::{Ground, LOG, first_day, log};

#[tokio::test(start_paused = true)]
async fn one_by_one_across_the_second_level_the_files_are_those_of_the_whole() {
    let ground = Ground::new(InProcess::new().unwrap(), Retries::Off).await;
    ground.append(LOG, 0..65_534, first_day).await;
    let exporter = ground.exporter(first_day);
    assert_eq!(exporter.export(&log()).await.unwrap().segments, 16);
    for number in 65_534..65_538 {
        ground.append(LOG, number..number + 1, first_day).await;
        exporter.export(&log()).await.unwrap();
    }
    let copy = ground.copy();
    let report = copy.sound().unwrap();
    assert_eq!((report.logs[0].entries, report.logs[0].checkpoints), (65_538, 20));
    let files = copy.of(LOG);
    for name in ["tile/1/000", "tile/2/000.p/1", "tile/0/256.p/2", "tile/entries/255", "tile/1/000.p/255"] {
        assert!(files.contains_key(name), "{name}");
    }
    let whole = grow(0, &[], &ground.entries(LOG).await).unwrap();
    for tile in whole.full.iter().chain(&whole.partial) {
        assert_eq!(files.get(tile.path.text().as_str()), Some(&tile.bytes.as_slice()), "{}", tile.path.text());
    }
}

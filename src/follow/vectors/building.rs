//! Builds of segments: one at a time, on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use index::follower::Follower as _;
use index::vector::{Build, Built, Means, Report};
use storage::ids::TenantId;

use super::{BUILD_SHARE, BUILD_VECTORS_MIN, Measured, Runner, Vector};

/// A build that goes on.
pub(super) struct Building {
    pub(super) tenant: TenantId,
    state: Arc<Progress>,
    thread: JoinHandle<index::Result<Built>>,
}

#[derive(Default)]
struct Progress {
    done: AtomicUsize,
    all: AtomicUsize,
    cancelled: AtomicBool,
}

impl Building {
    fn start(tenant: TenantId, build: Build, means: Means) -> std::io::Result<Building> {
        let state = Arc::new(Progress::default());
        let progress = Arc::clone(&state);
        let building = move || {
            let stop = || progress.cancelled.load(Ordering::Relaxed);
            let told = |done, all| {
                progress.done.fetch_max(done, Ordering::Relaxed);
                progress.all.store(all, Ordering::Relaxed);
            };
            let built = catch_unwind(AssertUnwindSafe(|| build.run(means, &stop, &told)));
            built.unwrap_or_else(|_| Err(index::Error::Io("the build stopped unexpectedly".to_owned())))
        };
        let thread = std::thread::Builder::new().name("build".to_owned()).spawn(building)?;
        Ok(Building { tenant, state, thread })
    }

    /// Rows that are done, and all.
    pub(super) fn done(&self) -> (usize, usize) {
        (self.state.done.load(Ordering::Relaxed), self.state.all.load(Ordering::Relaxed))
    }

    fn end(self) -> index::Result<Built> {
        let ended = self.thread.join();
        ended.unwrap_or_else(|_| Err(index::Error::Io("the build stopped unexpectedly".to_owned())))
    }
}

impl Runner {
    /// Takes over the build that is done, and begins another where one is wanted or due.
    pub(super) fn see_to_builds(&mut self) {
        if let Some(building) = self.building.take_if(|building| building.thread.is_finished()) {
            self.take_over(building);
        }
        if let Some(building) = &self.building {
            self.publish(building.tenant);
            return;
        }
        if let Some(tenant) = self.wanted() {
            self.shared.wishes().builds.remove(&tenant);
            self.begin_build(tenant);
        } else if !self.terms.window.is_now() {
            self.built.clear();
        } else if let Some(tenant) = self.due() {
            self.built.insert(tenant);
            self.begin_build(tenant);
        }
    }

    /// Who is to be built now. A bootstrap is waited for: its vectors would have to be made again.
    fn wanted(&self) -> Option<TenantId> {
        let is_whole = |tenant: &&TenantId| {
            self.units.get(tenant).is_none_or(|vector| !vector.unit.follower().is_bootstrapping())
        };
        self.shared.wishes().builds.iter().find(is_whole).copied()
    }

    /// Whose turn it is in the window: once each, and who has something to gain.
    fn due(&self) -> Option<TenantId> {
        let is_due = |(tenant, vector): &(&TenantId, &Vector)| {
            let index = vector.unit.follower();
            let (gain, (fresh, sealed)) = (index.gain(), index.sizes());
            !self.built.contains(*tenant)
                && !index.is_bootstrapping()
                && gain >= BUILD_VECTORS_MIN.max((fresh + sealed) / BUILD_SHARE)
        };
        self.units.iter().find(is_due).map(|(tenant, _)| *tenant)
    }

    fn begin_build(&mut self, tenant: TenantId) {
        let Some(vector) = self.units.get_mut(&tenant) else { return };
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let means = Means { threads: processors.div_ceil(2), bytes_max: self.terms.build_bytes_max };
        let build = vector.unit.follower_mut().begin_build();
        match Building::start(tenant, build, means) {
            Ok(building) => self.building = Some(building),
            Err(error) => tracing::error!(%error, %tenant, "no thread for a build"),
        }
        self.publish(tenant);
    }

    fn take_over(&mut self, building: Building) {
        let tenant = building.tenant;
        let built = building.end();
        let Some(vector) = self.units.get_mut(&tenant) else { return };
        let adopted = built.and_then(|built| {
            let report = built.report.clone();
            vector.unit.follower_mut().adopt(built).map(|()| told(&report))
        });
        match &adopted {
            Ok(report) => tracing::info!(%tenant, report, "vector segment built"),
            Err(index::Error::Stopped) => {}
            Err(error) => tracing::error!(%error, %tenant, "no vector segment was built"),
        }
        vector.builds += 1;
        vector.measured = Measured::default();
        vector.built = Some(adopted.map_err(|error| error.to_string()));
        self.publish(tenant);
    }

    /// Ends the build of a tenant, or any, and waits for it; what is done already is taken over.
    pub(super) fn end_build(&mut self, of: Option<TenantId>) {
        let is_meant = |building: &mut Building| of.is_none_or(|tenant| tenant == building.tenant);
        if let Some(building) = self.building.take_if(is_meant) {
            building.state.cancelled.store(true, Ordering::Relaxed);
            self.take_over(building);
        }
    }
}

fn told(report: &Report) -> String {
    let Report { vectors, mended, curve } = report;
    match curve.width {
        0 => format!("{vectors} vectors, compared one by one"),
        width => format!("{vectors} vectors, {mended} of them mended, walked {width} wide"),
    }
}

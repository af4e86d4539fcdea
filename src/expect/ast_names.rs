//! Which steps a statement speaks of by their names.

use super::ast::{
    Anchor, Claim, Condition, EventPattern, Selection, Statement, Step, StepOrFilter, Subject,
    Value, Window,
};

impl Statement {
    /// Calls `each` with the name of every step that the statement speaks of,
    /// its own steps among them.
    pub fn names<'s>(&'s self, each: &mut dyn FnMut(&'s str)) {
        match self {
            Statement::Sequence(sequence) => {
                for step in &sequence.steps {
                    step.value.names(each);
                }
            }
            Statement::No(which) => which.names(each),
            Statement::Nothing(window) => window.value.names(each),
            Statement::Each(rule) => {
                if let Subject::Packets(which) = &rule.subject.value {
                    which.names(each);
                }
                match &rule.condition.value {
                    Condition::Filter(filter) => filter.steps(each),
                    Condition::Claim(claim) => claim.names(each),
                }
            }
            Statement::Claim(claim) => claim.names(each),
        }
    }
}

impl Statement {
    /// The names that the steps of a block give.
    pub fn names_given(&self) -> impl Iterator<Item = &str> {
        let steps = match self {
            Statement::Sequence(sequence) => sequence.steps.as_slice(),
            _ => &[],
        };
        let names = steps.iter().filter_map(|step| step.value.name.as_ref());
        names.map(|name| name.value.as_str())
    }
}

impl Selection {
    fn names<'s>(&'s self, each: &mut dyn FnMut(&'s str)) {
        match &self.what {
            StepOrFilter::Step(step) => step.value.names(each),
            StepOrFilter::Filter(filter) => filter.value.steps(each),
        }
        if let Some(window) = &self.window {
            window.value.names(each);
        }
    }
}

impl Window {
    fn names<'s>(&'s self, each: &mut dyn FnMut(&'s str)) {
        for anchor in self.anchors() {
            match anchor {
                Anchor::Name(name) => each(&name.value),
                Anchor::Step(step) => step.value.names(each),
            }
        }
    }
}

impl Step {
    /// Calls `each` with the name of every step that this one speaks of.
    pub fn names<'s>(&'s self, each: &mut dyn FnMut(&'s str)) {
        if let EventPattern::Retransmission(Some(of)) = &self.event {
            each(of);
        }
        if let Some(of) = self.within.as_ref().and_then(|w| w.value.of.as_ref()) {
            each(of);
        }
        for order in &self.order {
            each(&order.value.of);
        }
        if let Some(filter) = &self.where_ {
            filter.value.steps(each);
        }
    }
}

impl Claim {
    fn names<'s>(&'s self, each: &mut dyn FnMut(&'s str)) {
        match self {
            Claim::And(a, b) | Claim::Or(a, b) => {
                a.names(each);
                b.names(each);
            }
            Claim::Not(inner) => inner.names(each),
            Claim::Compare { left, right, .. } => {
                left.value.names(each);
                right.value.names(each);
            }
        }
    }
}

impl Value {
    fn names<'s>(&'s self, each: &mut dyn FnMut(&'s str)) {
        match self {
            Value::Packets(which) => which.names(each),
            Value::Call { argument: text, .. } | Value::Json { text, .. } => {
                text.value.names(each);
            }
            _ => {}
        }
    }
}
